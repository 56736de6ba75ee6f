// One attempt to sign in, as each form that makes one has it: a code that is typed anew each time, and what went wrong in words of our own.
import { useState } from "preact/hooks";
import type { Factor, FactorDue } from "../core/api";
import { useWords } from "../core/desk";
import { PasskeyStopped } from "../core/passkey";
import { useTask } from "../ui/form";

export function useAttempt<T>(enter: (got: T) => void, after: () => void = () => undefined) {
  const { words } = useWords();
  const [own, setOwn] = useState<string | null>(null);
  const { busy, error, run } = useTask();
  const start = (task: () => Promise<T>) => {
    setOwn(null);
    run(async () => {
      try {
        enter(await task());
      } catch (e) {
        // Whoever closes the browser's window has done nothing wrong.
        if (e instanceof PasskeyStopped) setOwn(words.passkeys.stopped);
        else throw e;
      } finally {
        after();
      }
    });
  };
  return { own, setOwn, busy, error, start };
}

/** What is typed of a second factor: six digits, or a recovery code. */
export function useFactor(factors: FactorDue["factors"]) {
  const [code, setCode] = useState("");
  const [recovery, setRecovery] = useState(false);
  const turn = () => {
    setCode("");
    setRecovery(!recovery);
  };
  const typed = (): Factor => (recovery ? { recovery: code.trim() } : { code });
  const ready = recovery ? code.trim() !== "" : factors.includes("code") && code.length === 6;
  return { code, setCode, recovery, turn, typed, ready };
}
