// The desk around every view: ways to the views, who is signed in, whether what is shown is live, the keyboard, and signing out when
// nobody is there.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Settings, Theme } from "../app";
import { api, type Role, type Session } from "../core/api";
import { may, useDesk } from "../core/desk";
import { go, useRoute, type Route } from "../core/router";
import { Account } from "../views/account";
import { Alerts } from "../views/alerts";
import { Drives } from "../views/drives/drives";
import { Logs } from "../views/logs/logs";
import { OverviewView } from "../views/overview";
import { Pcs } from "../views/pcs/pcs";
import { RegisterView } from "../views/register";
import { Reports } from "../views/reports";
import { LifeView } from "../views/trace/life";
import { Trace } from "../views/trace/trace";
import { Keys } from "./keys";
import { Empty, Icon, Mark, NoRights } from "./parts";
import { SettingsBar } from "./settings";

const all: Role[] = ["administrator", "auditor", "viewer"];
const readers: Role[] = ["auditor", "viewer"];

interface View {
  name: "overview" | "alerts" | "logs" | "drives" | "pcs" | "reports" | "register" | "account";
  path: string;
  roles: Role[];
  key: string;
}
const views: View[] = [
  { name: "overview", path: "/", roles: all, key: "o" },
  { name: "alerts", path: "/alerts", roles: readers, key: "e" },
  { name: "logs", path: "/logs", roles: readers, key: "l" },
  { name: "drives", path: "/drives", roles: ["administrator", "auditor"], key: "d" },
  { name: "pcs", path: "/pcs", roles: all, key: "p" },
  { name: "reports", path: "/reports", roles: all, key: "m" },
  { name: "register", path: "/register", roles: ["administrator", "auditor"], key: "r" },
  { name: "account", path: "/account", roles: all, key: "a" },
];

function viewOf(path: string): View | null {
  if (path.startsWith("/trace/")) return views.find((v) => v.name === "logs") ?? null;
  return views.find((v) => path === v.path || (v.path !== "/" && path.startsWith(`${v.path}/`))) ?? null;
}

interface Props {
  settings: Settings;
  live: boolean;
  enter: (s: Session | null) => void;
  leave: (idle?: boolean) => void;
}

export function Shell({ settings, live, enter, leave }: Props) {
  const { words, session } = useDesk();
  const route = useRoute();
  const view = viewOf(route.path);
  const [keys, setKeys] = useState(false);
  const main = useRef<HTMLElement>(null);
  const title = view ? words.nav[view.name] : words.errors.notFound;
  useEffect(() => {
    document.title = `${title} - ${words.app.name}`;
  }, [title, words]);
  useKeys(() => setKeys(true), settings, session);
  return (
    <div class="desk">
      <a
        class="skip"
        href="#content"
        onClick={(e) => {
          e.preventDefault();
          main.current?.focus();
        }}
      >
        {words.app.skip}
      </a>
      <header class="rail">
        <div class="rail-name">
          <Mark />
          <span class="rail-title">{words.app.name}</span>
        </div>
        <nav aria-label={words.app.navigation}>
          <ul>
            {views
              .filter((v) => may(session, ...v.roles))
              .map((v) => (
                <li key={v.name}>
                  <a href={`#${v.path}`} aria-current={v === view ? "page" : undefined}>
                    <Icon name={v.name} />
                    <span>{words.nav[v.name]}</span>
                  </a>
                </li>
              ))}
          </ul>
        </nav>
        <div class="rail-foot">
          <p class={live ? "live" : "live live-off"} role="status" title={live ? undefined : words.app.notLive}>
            <span class="dot" aria-hidden="true" />
            <span>{live ? words.app.live : words.app.notLive}</span>
          </p>
          <SettingsBar settings={settings} />
          <button type="button" class="quiet keys-button" onClick={() => setKeys(true)}>
            <Icon name="keys" />
            <span>{words.app.keys}</span>
          </button>
          <button type="button" class="quiet" onClick={() => leave()}>
            <Icon name="out" />
            <span>{words.app.signOut}</span>
          </button>
        </div>
      </header>
      <main id="content" ref={main} tabIndex={-1}>
        {view && may(session, ...view.roles) ? (
          <Content view={view} route={route} enter={enter} />
        ) : view ? (
          <NoRights roles={view.roles} />
        ) : (
          <Empty>{words.errors.notFound}</Empty>
        )}
      </main>
      <Idle seconds={session.idle_seconds} leave={leave} />
      {keys && <Keys close={() => setKeys(false)} />}
    </div>
  );
}

function Content({ view, route, enter }: { view: View; route: Route; enter: (s: Session) => void }) {
  if (route.path === "/trace/life") return <LifeView route={route} />;
  if (route.path.startsWith("/trace/")) return <Trace route={route} />;
  switch (view.name) {
    case "overview":
      return <OverviewView />;
    case "alerts":
      return <Alerts />;
    case "logs":
      return <Logs route={route} />;
    case "drives":
      return <Drives route={route} />;
    case "pcs":
      return <Pcs route={route} />;
    case "reports":
      return <Reports />;
    case "register":
      return <RegisterView />;
    case "account":
      return <Account enter={enter} />;
  }
}

/** Keys that work everywhere: g and a letter to a view, / to the search, ? for the list, t for the colours. */
function useKeys(help: () => void, settings: Settings, session: Session): void {
  const latest = useRef({ help, settings, session });
  latest.current = { help, settings, session };
  useEffect(() => {
    let pending = 0;
    const press = (event: KeyboardEvent) => {
      const at = event.target;
      const typing = at instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || at.isContentEditable);
      if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      const now = latest.current;
      if (pending && event.timeStamp - pending < 1500) {
        const view = views.find((v) => v.key === event.key && may(now.session, ...v.roles));
        pending = 0;
        event.preventDefault();
        if (view) {
          go(`#${view.path}`);
        }
      } else if (event.key === "g") {
        pending = event.timeStamp;
      } else if (event.key === "?") {
        event.preventDefault();
        now.help();
      } else if (event.key === "t") {
        const themes: Theme[] = ["auto", "light", "dark"];
        now.settings.setTheme(themes[(themes.indexOf(now.settings.theme) + 1) % 3] ?? "auto");
      } else if (event.key === "/") {
        const field = document.querySelector<HTMLInputElement>("[data-find]");
        if (field) {
          event.preventDefault();
          field.focus();
          field.select();
        }
      }
    };
    // Before the views: what follows a "g" is not theirs.
    addEventListener("keydown", press, true);
    return () => removeEventListener("keydown", press, true);
  }, []);
}

/**
 * Signs out when nobody touches the page for as long as a session may idle: what the page asks by itself, since records arrive, is no
 * use of it. Whoever only reads keeps the session alive by moving.
 */
function Idle({ seconds, leave }: { seconds: number; leave: (idle: boolean) => void }) {
  const { words } = useDesk();
  const [left, setLeft] = useState<number | null>(null);
  useEffect(() => {
    let last = Date.now();
    let asked = last;
    const used = () => {
      last = Date.now();
    };
    const tick = setInterval(() => {
      const now = Date.now();
      const rest = Math.ceil(seconds - (now - last) / 1000);
      if (rest <= 0) leave(true);
      setLeft(rest > 0 && rest <= 60 ? rest : null);
      if (last > asked && now - asked > (seconds * 1000) / 3) {
        asked = now;
        api.session().catch(() => undefined);
      }
    }, 1000);
    const events = ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"];
    for (const e of events) addEventListener(e, used, { passive: true });
    return () => {
      clearInterval(tick);
      for (const e of events) removeEventListener(e, used);
    };
  }, [seconds, leave]);
  if (left === null) return null;
  return (
    <div class="banner" role="alert">
      {words.app.idle(left)}
    </div>
  );
}
