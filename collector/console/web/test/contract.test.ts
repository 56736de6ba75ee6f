// The page asks nothing that the API's document does not have, and makes no HTML of text.
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const at = (path: string) => new URL(path, import.meta.url);
const here = (path: string) => readFileSync(at(path), "utf8");
const documented = [...here("../../openapi.yaml").matchAll(/^ {2}(\/\S+):$/gm)].map((m) => m[1] ?? "");
const shape = (path: string) => path.replace(/\$\{queryText.*$/, "").replace(/\?.*$/, "").replace(/\$\{[^}]*\}|\{[^}]*\}/g, "{}");

it("asks only what is documented", () => {
  const asked = [...here("../src/core/api.ts").matchAll(/`\$\{v1\}([^`]*)`/g)].map((m) => shape(`/api/v1${m[1] ?? ""}`));
  expect(asked.length).toBeGreaterThan(20);
  for (const path of asked) expect(documented.map(shape)).toContain(path);
});

it("uses nothing that makes HTML of text, no inline style, no other host", () => {
  const files = readdirSync(at("../src"), { recursive: true, encoding: "utf8" }).filter((f) => /\.tsx?$/.test(f));
  expect(files.length).toBeGreaterThan(30);
  for (const file of files)
    expect([file, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|style="|https?:\/\/(?!\$\{)/.exec(here(`../src/${file}`))]).toEqual([file, null]);
});
