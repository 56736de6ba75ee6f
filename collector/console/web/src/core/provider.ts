// The way back from an OpenID provider: it sends the browser to /oidc with what it says in the query; from signing out there to / with the
// state alone.
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

const OUT = "sekisho.out";

/** Signing out there, too: what it has to come back with is kept for this tab. */
export function goOut(location_: string, state: string): void {
  try {
    sessionStorage.setItem(OUT, state);
  } catch {
    // Then it is not told that it came to its end, and nothing else happens.
  }
  location.assign(location_);
}

/** Has the browser come back from there? Whatever an address says is taken out of it. */
export function takeOut(): boolean {
  if (location.pathname !== "/" || !location.search) return false;
  const state = new URLSearchParams(location.search).get("state");
  history.replaceState(null, "", `/${location.hash}`);
  try {
    const sent = sessionStorage.getItem(OUT);
    sessionStorage.removeItem(OUT);
    return sent !== null && sent === state;
  } catch {
    return false;
  }
}
