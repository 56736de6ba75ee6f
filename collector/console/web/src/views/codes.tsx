// A person's own codes: those of an app, and those that are kept for the day on which phone or key is lost.
import { useState } from "preact/hooks";
import { api, useToken, type Passkeys, type Secret, type Session } from "../core/api";
import { useDesk } from "../core/desk";
import { momentOf } from "../core/format";
import { Copy, Dialog, saveFile } from "../ui/parts";
import { factorsOf, Prove } from "./second";
import { ConfirmSecret } from "./sign_in";

export function Codes({ own, changed }: { own: Passkeys; changed: (text: string, session?: Session) => void }) {
  const { words } = useDesk();
  const f = words.factors;
  const [open, setOpen] = useState<"set" | "remove" | null>(null);
  const [secret, setSecret] = useState<Secret | null>(null);
  const close = () => {
    setOpen(null);
    setSecret(null);
  };
  const setLabel = own.codes ? f.codesAgain : f.codesSet;
  return (
    <section class="panel" aria-labelledby="codes-title">
      <h2 id="codes-title">{f.codesTitle}</h2>
      <p class="hint">{f.codesWhy}</p>
      <p>{own.codes ? f.codesOn : f.codesOff}</p>
      <div class="actions">
        <button type="button" onClick={() => setOpen("set")}>
          {setLabel}
        </button>
        {own.codes && (
          <button type="button" onClick={() => setOpen("remove")}>
            {f.codesRemove}
          </button>
        )}
      </div>
      {open === "set" && (
        <Dialog title={setLabel} close={close}>
          {secret ? (
            <div class="stack">
              <p>{words.signIn.totpWhy}</p>
              <ConfirmSecret
                secret={secret}
                done={(session) => {
                  useToken(session);
                  close();
                  changed(f.codesDone, session);
                }}
              />
            </div>
          ) : (
            <Prove own={own} label={f.next} go={async (proof) => setSecret(await api.totpSecret(proof))}>
              {own.codes && <p>{f.codesAgainWhy}</p>}
            </Prove>
          )}
        </Dialog>
      )}
      {open === "remove" && (
        <Dialog title={f.codesRemove} close={close}>
          <Prove
            own={own}
            label={words.passkeys.remove}
            go={async (proof) => {
              await api.totpRemove(proof);
              close();
              changed(f.codesRemoved);
            }}
          >
            <p>{f.codesRemoveWhy}</p>
          </Prove>
        </Dialog>
      )}
    </section>
  );
}

/** Ten codes, shown once. */
export function Recovery({ own, reload }: { own: Passkeys; reload: () => void }) {
  const { words, session } = useDesk();
  const f = words.factors;
  const [open, setOpen] = useState(false);
  const [codes, setCodes] = useState<string[] | null>(null);
  const label = own.recovery ? f.recoveryRenew : f.recoveryMake;
  const close = () => {
    setOpen(false);
    setCodes(null);
    reload();
  };
  const text = codes?.join("\n") ?? "";
  return (
    <section class="panel" aria-labelledby="recovery-title">
      <h2 id="recovery-title">{f.recoveryTitle}</h2>
      <p class="hint">{f.recoveryWhy}</p>
      {own.recovery ? (
        <p>
          <strong>{f.recoveryLeft(own.recovery.left, own.recovery.of)}</strong>{" "}
          <span class="quiet-text">
            ({f.recoveryMade} {momentOf(own.recovery.made)})
          </span>
        </p>
      ) : (
        <p>{f.recoveryNone}</p>
      )}
      {factorsOf(own).length > 0 && (
        <div class="actions">
          <button type="button" onClick={() => setOpen(true)}>
            {label}
          </button>
        </div>
      )}
      {open && (
        <Dialog title={codes ? f.recoveryTitle : label} close={close}>
          {codes ? (
            <div class="stack">
              <p>{f.recoveryShown}</p>
              <ol class="recovery-codes mono">
                {codes.map((one) => (
                  <li key={one}>{one}</li>
                ))}
              </ol>
              <div class="actions">
                <Copy text={text} label={words.common.copy} />
                <button type="button" class="quiet" onClick={() => saveFile(`sekisho-recovery-${session.account}.txt`, `${text}\n`, "text/plain")}>
                  {f.recoverySave}
                </button>
              </div>
              <button type="button" class="main" onClick={close}>
                {f.recoveryKept}
              </button>
            </div>
          ) : (
            <Prove own={own} label={label} go={async (proof) => setCodes((await api.recoveryMake(proof)).codes)}>
              {own.recovery && <p>{f.recoveryRenewWhy}</p>}
            </Prove>
          )}
        </Dialog>
      )}
    </section>
  );
}
