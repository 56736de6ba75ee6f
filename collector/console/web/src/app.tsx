// Who is here, and in which words: from the first question (is there a session?) over signing in to the desk, and back when the
// session ends. The address stays as it is all the while, so that signing in again goes on where it was.
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { api, Refusal, useToken, whenEnded, type Session } from "./core/api";
import { DeskContext, makeVocabulary, WordsContext, type Vocabulary } from "./core/desk";
import { keep, kept, oneOf } from "./core/kept";
import { goOut, takeOut, takeReturned } from "./core/provider";
import { liveStart, liveStop } from "./core/live";
import { toRefusal } from "./core/resource";
import { Failure, Loading } from "./ui/parts";
import { Shell } from "./ui/shell";
import { SignIn, type WhyOut } from "./views/sign_in";
import { languageOf, languages, type Language } from "./words";

export type Theme = "auto" | "light" | "dark";

export interface Settings {
  language: Language;
  theme: Theme;
  setLanguage: (l: Language) => void;
  setTheme: (t: Theme) => void;
  /** Once more into this browser: signing out clears what pages keep (Clear-Site-Data), and takes these along. */
  keepAgain: () => void;
}

function useSettings(): Settings {
  const [language, setLanguage] = useState<Language>(
    () => kept("language", oneOf("en", "ja")) ?? languageOf(navigator.languages),
  );
  const [theme, setTheme] = useState<Theme>(() => kept("theme", oneOf("auto", "light", "dark")) ?? "auto");
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  const keepAgain = useCallback(() => {
    keep("language", language);
    keep("theme", theme === "auto" ? null : theme);
  }, [language, theme]);
  useEffect(keepAgain, [keepAgain]);
  return { language, theme, setLanguage, setTheme, keepAgain };
}

interface Said {
  text: string;
  shown: boolean;
  turn: number;
}

export function App() {
  const settings = useSettings();
  const words = languages[settings.language];
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [vocabulary, setVocabulary] = useState<Vocabulary | null>(null);
  const [cameOut] = useState(takeOut);
  const [why, setWhy] = useState<WhyOut>(null);
  const [failed, setFailed] = useState<Refusal | null>(null);
  const [said, setSaid] = useState<Said>({ text: "", shown: false, turn: 0 });
  const [live, setLive] = useState(true);
  const [returned, setReturned] = useState(takeReturned);

  const enter = useCallback((s: Session | null, out: WhyOut = null) => {
    useToken(s);
    setWhy(out);
    setSession(s);
    // Who is in needs it no more, and must not be asked with it again when the session ends.
    if (s) setReturned(null);
  }, []);
  const start = useCallback(() => {
    setFailed(null);
    api.session().then(
      (s) => enter(s),
      (e: unknown) => {
        const refusal = toRefusal(e);
        if (refusal.status === 401) enter(null, cameOut ? "everywhere" : null);
        else setFailed(refusal);
      },
    );
  }, [enter, cameOut]);
  useEffect(start, [start]);

  const dropReturned = useCallback(() => setReturned(null), []);

  const ready = session && session.must.length === 0;
  useEffect(() => {
    if (!ready) return;
    const over = () => enter(null, "ended");
    whenEnded(over);
    api.vocabulary().then(
      ({ fields }) => setVocabulary(makeVocabulary(fields)),
      (e: unknown) => setFailed(toRefusal(e)),
    );
    liveStart(over, setLive);
    return () => {
      whenEnded(() => undefined);
      liveStop();
    };
  }, [ready, session?.account, enter]);

  const say = useCallback((text: string, shown = false) => setSaid((s) => ({ text, shown, turn: s.turn + 1 })), []);
  useEffect(() => {
    if (!said.shown) return;
    const timer = setTimeout(() => setSaid((s) => ({ ...s, shown: false })), 5000);
    return () => clearTimeout(timer);
  }, [said]);

  const leave = useCallback(
    (idle = false) => {
      const out: WhyOut = idle ? "idle" : null;
      api.signOut().then(
        (there) => {
          settings.keepAgain();
          enter(null, out);
          // A desk that nobody uses is closed here; at the provider other programs may be in use.
          if (there && !idle) goOut(there.location, there.state);
        },
        () => enter(null, out),
      );
    },
    [enter, settings.keepAgain],
  );

  const context = useMemo(() => ({ words, language: settings.language }), [words, settings.language]);
  const desk = useMemo(
    () => (session && vocabulary ? { session, words, language: settings.language, vocabulary, say } : null),
    [session, vocabulary, words, settings.language, say],
  );

  let inside;
  if (failed && !desk) inside = <Failure error={failed} retry={start} />;
  else if (session === undefined) inside = <Loading />;
  else if (!session || session.must.length) inside = <SignIn session={session} why={why} settings={settings} enter={enter} leave={leave} returned={returned} dropReturned={dropReturned} />;
  else if (!desk) inside = <Loading />;
  else
    inside = (
      <DeskContext.Provider value={desk}>
        <Shell settings={settings} live={live} enter={enter} leave={leave} />
      </DeskContext.Provider>
    );
  return (
    <WordsContext.Provider value={context}>
      {inside}
      <div class={said.shown ? "said shown" : "said"} role="status" aria-live="polite">
        <span key={said.turn}>{said.text}</span>
      </div>
    </WordsContext.Provider>
  );
}
