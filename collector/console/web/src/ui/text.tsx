// Shows what PCs and devices say of themselves. The only way hostile text comes onto the page: as text nodes, with what is hidden made
// visible, and with its direction kept to itself.
import type { ComponentChildren } from "preact";
import type { Name } from "../core/api";
import { useWords } from "../core/desk";
import { hexText, pieces } from "../core/hostile";

export function Text({ of, cut = false }: { of: Name; cut?: boolean }) {
  const { words } = useWords();
  const bytes = typeof of !== "string";
  const text = bytes ? hexText(of.hex) : of;
  return (
    <bdi class={cut ? "cut" : undefined} title={bytes ? words.common.bytesName : undefined}>
      {pieces(text).map((p, i) =>
        p.code ? (
          <span key={i} class="hidden-sign" title={words.common.hidden(p.code)}>
            {p.code}
          </span>
        ) : (
          p.text
        ),
      )}
    </bdi>
  );
}

/** A path: its folder quiet, its last part plain, cut in the middle of the folder where it is long. */
export function Path({ of }: { of: Name }) {
  const text = typeof of === "string" ? of : null;
  const at = text === null ? -1 : text.replace(/\/+$/, "").lastIndexOf("/");
  if (text === null || at < 0) return <Text of={of} cut />;
  return (
    <span class="path">
      <span class="path-folder">
        <Text of={text.slice(0, at + 1)} />
      </span>
      <span class="path-last">
        <Text of={text.slice(at + 1)} />
      </span>
    </span>
  );
}

export function Mono({ children }: { children: ComponentChildren }) {
  return <span class="mono">{children}</span>;
}
