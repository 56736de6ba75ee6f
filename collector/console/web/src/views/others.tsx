// Where somebody is signed in besides, and an end to that.
import { useState } from "preact/hooks";
import { api, type Passkeys } from "../core/api";
import { useDesk } from "../core/desk";
import { momentOf } from "../core/format";
import { useResource } from "../core/resource";
import { Dialog, Failure } from "../ui/parts";
import { Text } from "../ui/text";
import { Prove } from "./second";

export function Others({ own }: { own: Passkeys }) {
  const { words, say } = useDesk();
  const o = words.others;
  const list = useResource("others", (signal) => api.others(signal));
  /** One of them by its id; "" is all. */
  const [ending, setEnding] = useState<string | null>(null);
  const others = list.data?.others ?? [];
  return (
    <section class="panel" aria-labelledby="others-title">
      <h2 id="others-title">{o.title}</h2>
      <p class="hint">{o.why}</p>
      {list.error && <Failure error={list.error} retry={list.reload} />}
      {list.data && others.length === 0 && <p>{o.none}</p>}
      {others.length > 0 && (
        <>
          <ul class="passkeys">
            {others.map((s) => (
              <li key={s.id}>
                <div>
                  <strong>
                    <Text of={s.address} />
                  </strong>
                  <p class="hint">
                    {o.began} {momentOf(s.began)}; {o.seen} {momentOf(s.seen)}
                  </p>
                </div>
                <button type="button" aria-label={o.endOne(s.address, momentOf(s.began))} onClick={() => setEnding(s.id)}>
                  {o.end}
                </button>
              </li>
            ))}
          </ul>
          <div class="actions">
            <button type="button" onClick={() => setEnding("")}>
              {o.endAll}
            </button>
          </div>
        </>
      )}
      {ending !== null && (
        <Dialog title={ending ? o.endTitle : o.endAll} close={() => setEnding(null)}>
          <Prove
            own={own}
            label={ending ? o.end : o.endAll}
            go={async (proof) => {
              await api.othersEnd(ending || null, proof);
              setEnding(null);
              list.reload();
              say(o.ended, true);
            }}
          >
            <p>{o.endWhy}</p>
          </Prove>
        </Dialog>
      )}
    </section>
  );
}
