// The words of the page, in two languages. Both have the same keys: what is missing in one, or too much, does not compile.
import { en } from "./en";
import { ja } from "./ja";

type Like<T> = T extends (...a: infer A) => string ? (...a: A) => string : T extends string ? string : { [K in keyof T]: Like<T[K]> };
export type Words = Like<typeof en>;
export type Language = "en" | "ja";

export const languages: Record<Language, Words> = { en, ja };

/** The first of the browser's languages that there is; English where none is. */
export function languageOf(preferred: readonly string[]): Language {
  for (const one of preferred) {
    const short = one.toLowerCase().split("-")[0];
    if (short === "ja" || short === "en") return short;
  }
  return "en";
}
