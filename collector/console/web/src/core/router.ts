// Where the page is: "#/logs?kind=exec&open=17". What a view shows is in its address, so that it can be sent to a colleague, and
// back and forward work. Nothing secret belongs in there.
import { useEffect, useState } from "preact/hooks";

export interface Route {
  /** "/logs", "/pcs/0a1b..." */
  path: string;
  query: URLSearchParams;
}

export function parseRoute(fragment: string): Route {
  const text = fragment.replace(/^#/, "");
  const cut = text.indexOf("?");
  const path = (cut < 0 ? text : text.slice(0, cut)) || "/";
  return { path, query: new URLSearchParams(cut < 0 ? "" : text.slice(cut + 1)) };
}

export function routeText(path: string, query: Record<string, string | string[] | undefined> | URLSearchParams = {}): string {
  const out = query instanceof URLSearchParams ? query : new URLSearchParams();
  if (!(query instanceof URLSearchParams)) {
    for (const [name, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) if (one) out.append(name, one);
    }
  }
  const text = out.toString();
  return `#${path}${text && `?${text}`}`;
}

export function go(address: string, replace = false): void {
  if (replace) {
    history.replaceState(null, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = address;
  }
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
