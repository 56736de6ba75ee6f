// A text with its line numbers, to be read or edited. A plain <textarea>: the browser's own undo, search and input methods work.
import { useRef } from "preact/hooks";

export function Editor({ label, value, set }: { label: string; value: string; set?: (text: string) => void }) {
  const numbers = useRef<HTMLDivElement>(null);
  const lines = value.split("\n").length;
  return (
    <div class="editor">
      <div ref={numbers} class="editor-numbers" aria-hidden="true">
        {Array.from({ length: lines }, (_, i) => i + 1).join("\n")}
      </div>
      <textarea
        aria-label={label}
        spellcheck={false}
        autocapitalize="none"
        wrap="off"
        readOnly={!set}
        value={value.replace(/^\ufeff/, "")}
        onScroll={(e) => {
          if (numbers.current) numbers.current.scrollTop = e.currentTarget.scrollTop;
        }}
        onInput={(e) => set?.((value.startsWith("\ufeff") ? "\ufeff" : "") + e.currentTarget.value)}
      />
    </div>
  );
}
