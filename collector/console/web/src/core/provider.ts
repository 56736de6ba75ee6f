// The way back from an OpenID provider: it sends the browser to /oidc with what it says in the query.
import type { Returned } from "./api";

/** What is in the address, once: it is taken out, so that neither the history nor a copied address holds it. */
export function takeReturned(): Returned | null {
  if (location.pathname !== "/oidc") return null;
  const said = new URLSearchParams(location.search);
  history.replaceState(null, "", "/");
  const returned: Returned = { state: said.get("state") ?? "-" };
  for (const name of ["code", "error", "iss"] as const) {
    const value = said.get(name);
    if (value) returned[name] = value;
  }
  if (!returned.code && !returned.error) returned.error = "nothing";
  return returned;
}
