// Client certificates: the one that this browser showed, at the sign-in; those that are bound to an account.
import type { BoundCertificate, ShownCertificate } from "../core/api";
import { useWords } from "../core/desk";
import { momentOf } from "../core/format";
import { Icon } from "../ui/parts";
import { Text } from "../ui/text";

/** One that is not accepted can be tried all the same: that it was, and why it failed, is then in the access log. */
export function CertificateWay({ shown, busy, go }: { shown: ShownCertificate; busy: boolean; go: () => void }) {
  const { words } = useWords();
  const c = words.certificates;
  return (
    <div class="other-ways">
      <button type="button" disabled={busy} onClick={go}>
        <Icon name="passkey" />
        {c.go}
      </button>
      <p class="hint">
        {c.shown} <Text of={shown.name || c.noName} />
        {". "}
        {shown.refused ? c.refused[shown.refused] : c.goHint}
      </p>
    </div>
  );
}

/** What an administrator has bound. */
export function BoundCertificates({ list }: { list: BoundCertificate[] }) {
  const { words } = useWords();
  const c = words.certificates;
  if (!list.length) return null;
  return (
    <section class="panel" aria-labelledby="certificates-title">
      <h2 id="certificates-title">{c.title}</h2>
      <p class="hint">{c.why}</p>
      <ul class="passkeys certificates">
        {list.map((one) => (
          <li key={one.fingerprint}>
            <div>
              <strong>
                <Text of={one.name || c.noName} />
              </strong>
              <p class="hint">
                {c.until} {momentOf(one.not_after)}; {words.passkeys.used} {one.used ? momentOf(one.used) : words.passkeys.never}
              </p>
              <p class="hint mono breakable">SHA-256 {one.fingerprint}</p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
