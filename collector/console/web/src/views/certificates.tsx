// Client certificates: the one that this browser showed, at the sign-in; those that are bound to an account. And who its owner is at an OpenID provider.
import type { BoundCertificate, BoundPerson, ShownCertificate } from "../core/api";
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

/** Who the account's owner is at the OpenID provider. */
export function BoundProvider({ person }: { person: BoundPerson }) {
  const { words } = useWords();
  const p = words.provider;
  return (
    <section class="panel" aria-labelledby="provider-title">
      <h2 id="provider-title">{p.title}</h2>
      <p class="hint">{p.why}</p>
      <dl class="facts">
        <div class="fact">
          <dt>{p.issuer}</dt>
          <dd>
            <Text of={person.issuer} />
          </dd>
        </div>
        <div class="fact">
          <dt>{p.subject}</dt>
          <dd>
            <Text of={person.subject} />
          </dd>
        </div>
        <div class="fact">
          <dt>{words.passkeys.used}</dt>
          <dd>{person.used ? momentOf(person.used) : words.passkeys.never}</dd>
        </div>
      </dl>
    </section>
  );
}
