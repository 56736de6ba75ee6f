// The document itself, as a public tool judges it: Redocly's rules of the strict kind, with the structure of OpenAPI 3.1 among them.
//
//     node openapi_lint.mjs openapi.yaml
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.PAGE_SOURCE, "package.json"));
const { createConfig, lint } = require("@redocly/openapi-core");

const config = await createConfig({
  extends: ["recommended-strict"],
  // Who asks for the ways to sign in shows nothing that could be wrong.
  rules: { "operation-4xx-response": "off", "no-invalid-schema-examples": "error", "no-invalid-media-type-examples": "error", "operation-operationId-unique": "error" },
});
const found = await lint({ ref: process.argv[2], config });
for (const f of found) console.log(`${f.ruleId}: ${f.message} (${f.location[0]?.pointer})`);
process.exit(found.length ? 1 : 0);
