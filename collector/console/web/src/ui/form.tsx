// What forms share where people prove who they are: a field, a task that runs once, what went wrong.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Refusal } from "../core/api";
import { useWords } from "../core/desk";
import { toRefusal } from "../core/resource";
import { explain } from "./parts";

/** A field with its label, hint and what is wrong, tied together for screen readers. */
export function Field(props: {
  label: string;
  hint?: string;
  type: "text" | "password";
  complete: AutoFill;
  most?: number;
  value: string;
  set: (v: string) => void;
  numeric?: boolean;
  required?: boolean;
  first?: boolean;
}) {
  const id = useId();
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (props.first) ref.current?.focus();
  }, []);
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input
        ref={ref}
        id={id}
        type={props.type as "text"}
        autocomplete={props.complete}
        spellcheck={false}
        autocapitalize="none"
        inputMode={props.numeric ? "numeric" : undefined}
        class={props.numeric ? "digits" : undefined}
        maxLength={props.numeric ? 6 : (props.most ?? 256)}
        required={props.required ?? false}
        aria-describedby={props.hint ? `${id}-hint` : undefined}
        value={props.value}
        onInput={(e) => props.set(e.currentTarget.value)}
      />
      {props.hint && (
        <p id={`${id}-hint`} class="hint">
          {props.hint}
        </p>
      )}
    </div>
  );
}

export function useTask(): { busy: boolean; error: Refusal | null; run: (task: () => Promise<void>) => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Refusal | null>(null);
  const run = (task: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    task()
      .catch((e: unknown) => setError(toRefusal(e)))
      .finally(() => setBusy(false));
  };
  return { busy, error, run };
}

export function Wrong({ error, unauthorized }: { error: Refusal | null; unauthorized: string }) {
  const { words } = useWords();
  if (!error) return null;
  const text =
    error.status === 401 ? unauthorized : error.status === 429 ? words.signIn.wait(error.retryAfter ?? 30) : explain(error, words);
  return (
    <p class="wrong" role="alert">
      {text}
    </p>
  );
}
