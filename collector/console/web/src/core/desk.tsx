// What every view may ask for: who is signed in, in which words, what facts are called, and how to say something to a screen reader.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { FieldWord, Role, Session } from "./api";
import type { Language, Words } from "../words";

export interface Vocabulary {
  fields: Map<string, FieldWord>;
}

export interface Desk {
  session: Session;
  words: Words;
  language: Language;
  vocabulary: Vocabulary;
  /** Read out, politely, and shown for a moment where `shown`. */
  say: (text: string, shown?: boolean) => void;
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("a view outside of the desk");
  return desk;
}

/** Words where nobody need be signed in. */
export const WordsContext = createContext<{ words: Words; language: Language } | null>(null);

export function useWords(): { words: Words; language: Language } {
  const context = useContext(WordsContext);
  if (!context) throw new Error("no words");
  return context;
}

export function may(session: Session, ...roles: Role[]): boolean {
  return session.roles.some((r) => roles.includes(r));
}

export function makeVocabulary(fields: FieldWord[]): Vocabulary {
  return { fields: new Map(fields.map((f) => [f.name, f])) };
}

/** What a field is called; its own name where the table does not have it. */
export function fieldLabel(v: Vocabulary, name: string, language: Language): string {
  return v.fields.get(name)?.[language] ?? name;
}

/** What a value of an enumeration is called. */
export function valueLabel(v: Vocabulary, name: string, value: string, language: Language): string {
  return v.fields.get(name)?.values?.find((x) => x.name === value)?.[language] ?? value;
}

/** Names of kinds that this server knows. */
export function kindsOf(v: Vocabulary): string[] {
  return v.fields.get("kind")?.values?.map((x) => x.name) ?? [];
}
