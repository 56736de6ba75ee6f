// One attempt to sign in, as each form that makes one has it: a code that is typed anew each time, and what went wrong in words of our own.
import { useState } from "preact/hooks";
import type { Session } from "../core/api";
import { useWords } from "../core/desk";
import { PasskeyStopped } from "../core/passkey";
import { useTask } from "../ui/form";

export function useAttempt(enter: (s: Session) => void) {
  const { words } = useWords();
  const [code, setCode] = useState("");
  const [own, setOwn] = useState<string | null>(null);
  const { busy, error, run } = useTask();
  const start = (task: () => Promise<Session>) => {
    setOwn(null);
    run(async () => {
      try {
        enter(await task());
      } catch (e) {
        // Whoever closes the browser's window has done nothing wrong.
        if (e instanceof PasskeyStopped) setOwn(words.passkeys.stopped);
        else throw e;
      } finally {
        setCode("");
      }
    });
  };
  return { code, setCode, own, setOwn, busy, error, start };
}
