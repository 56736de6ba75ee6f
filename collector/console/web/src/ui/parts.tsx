// Small parts that every view uses: states (loading, nothing, failed, no rights), dialog, copying, saving a file, icons, the mark.
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Refusal, Role } from "../core/api";
import { useDesk, useWords } from "../core/desk";
import { plain } from "../core/hostile";

export function explain(error: Refusal, words: ReturnType<typeof useWords>["words"]): string {
  const e = words.errors;
  if (error.status === 0 && error.word === "unreachable") return e.unreachable;
  const refused = words.signIn.refused as Record<string, string>;
  if (Object.hasOwn(refused, error.word)) return refused[error.word]!;
  if (error.word === "csrf") return e.csrf;
  if (error.status === 403) return e.role;
  if (error.status === 404) return e.scope;
  if (error.status === 429) return e.busy(error.retryAfter ?? 10);
  if (error.status === 503) return e.down;
  return e.said(plain(error.word), plain(error.reason));
}

export function Failure({ error, retry }: { error: Refusal; retry?: () => void }) {
  const { words } = useWords();
  return (
    <div class="state state-bad" role="alert">
      <p class="state-title">{words.errors.title}</p>
      <p>{explain(error, words)}</p>
      {retry && (
        <button type="button" onClick={retry}>
          {words.common.retry}
        </button>
      )}
    </div>
  );
}

export function Loading() {
  const { words } = useWords();
  return (
    <div class="state state-wait" role="status">
      <span class="wait-bar" aria-hidden="true" />
      {words.common.loading}
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="state">{children}</div>;
}

export function NoRights({ roles }: { roles: Role[] }) {
  const { words } = useWords();
  return (
    <div class="state">
      <p class="state-title">{words.errors.noRights}</p>
      <p>{words.errors.noRightsWhy(roles.map((r) => words.roles[r]).join(", "))}</p>
    </div>
  );
}

/** A modal window: the browser's own, so focus stays inside and comes back. */
export function Dialog(props: { title: string; close: () => void; children: ComponentChildren; wide?: boolean }) {
  const { words } = useWords();
  const ref = useRef<HTMLDialogElement>(null);
  const title = useId();
  // Before the page is painted, and back before the window is gone: a key that comes at once is for who has the focus then.
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={props.wide ? "wide" : undefined}
      aria-labelledby={title}
      onCancel={(event) => {
        event.preventDefault();
        props.close();
      }}
    >
      <header>
        <h2 id={title}>{props.title}</h2>
        <button type="button" class="icon" aria-label={words.common.close} onClick={props.close}>
          <Icon name="close" />
        </button>
      </header>
      {props.children}
    </dialog>
  );
}

export function Copy({ text, label }: { text: string; label?: string }) {
  const { words } = useWords();
  const { say } = useDesk();
  const [done, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return;
    }
    setDone(true);
    say(words.common.copied);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button
      type="button"
      class={label ? "quiet" : "icon copy"}
      aria-label={label ? undefined : words.common.copy}
      title={label ? undefined : words.common.copy}
      onClick={() => void copy()}
    >
      <Icon name={done ? "check" : "copy"} />
      {label}
    </button>
  );
}

/** Gives the browser a file to save. */
export function saveFile(name: string, content: BlobPart, type = "application/octet-stream"): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const a = document.createElement("a");
  a.href = address;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const shapes = {
  overview: "M3 3h6v8H3zM11 3h6v4h-6zM11 9h6v8h-6zM3 13h6v4H3z",
  alerts: "M10 2.500l7.500 14h-15zM10 7.500v4.500M10 14v.5",
  logs: "M4 4h12M4 8h12M4 12h12M4 16h7",
  drives: "M6 3h8v5H6zM5 8h10v8a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2zM8.500 5v1M11.500 5v1",
  pcs: "M3 4h14v9H3zM7 17h6M10 13v4",
  reports: "M3 17h14M5 17v-6h2.500v6M9 17V7h2.500v10M13 17V3h2.500v14",
  register: "M5 2h8l3 3v13H5zM13 2v3h3M8 9h5M8 12h5M8 15h3",
  account: "M10 10a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM3.500 17c.8-3.300 3.400-5 6.500-5s5.700 1.700 6.500 5",
  close: "M5 5l10 10M15 5L5 15",
  passkey: "M7.500 10.500a4 4 0 1 1 3.200-6.400 4 4 0 0 1-.9 5.600L17.500 17v.5h-3v-2h-2v-2h-2l-1.600-3zM6.500 6h.5",
  copy: "M7 7h9v9H7zM4 13V4h9",
  check: "M4 10.500l4 4 8-9",
  left: "M12 4l-6 6 6 6",
  right: "M8 4l6 6-6 6",
  first: "M14 4l-6 6 6 6M5 4v12",
  up: "M4 12l6-6 6 6",
  down: "M4 8l6 6 6-6",
  keys: "M2.500 5.500h15v9h-15zM5.500 8.500h.5M8.500 8.500h.5M11.500 8.500h.5M14.500 8.500h.5M6.500 11.500h7",
  save: "M10 3v9M6 8.500l4 4 4-4M4 16h12",
  link: "M8 12l4-4M7 9l-2.500 2.500a2.800 2.800 0 0 0 4 4L11 13M13 11l2.500-2.500a2.800 2.800 0 0 0-4-4L9 7",
  star: "M10 3l2.200 4.500 5 .7-3.600 3.500.9 5L10 14.300 5.500 16.700l.9-5L2.800 8.200l5-.7z",
  out: "M8 4H4v12h4M12 6l4 4-4 4M16 10H8",
  sun: "M10 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM10 2v2M10 16v2M2 10h2M16 10h2M4.300 4.300l1.400 1.400M14.300 14.300l1.400 1.400M4.300 15.700l1.400-1.400M14.300 5.700l1.400-1.400",
} as const;

export function Icon({ name }: { name: keyof typeof shapes }) {
  return (
    <svg class="glyph" viewBox="0 0 20 20" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}

/** The mark: the gate of a barrier station, as a seal. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect class="mark-ground" width="32" height="32" rx="7" />
      <path class="mark-gate" d="M8 6h3v20H8zM21 6h3v20h-3zM4 9.500h24v3H4zM11 16h10v2H11z" />
    </svg>
  );
}
