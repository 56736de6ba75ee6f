// oidc-provider (npm), as an office would have one: anybody signs in by any name; its own pages for that.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.env.PAGE_SOURCE, "package.json"));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));
const port = Number(process.env.OIDC_PORT);
const jwk = (kind, options, more) => ({ ...generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }), use: "sig", ...more });
const provider = new Provider(`https://localhost:${port}`, {
  clients: [
    {
      client_id: "the console",
      client_secret: process.env.OIDC_SECRET,
      redirect_uris: [`${process.env.CONSOLE_URL}/oidc`],
      post_logout_redirect_uris: [`${process.env.CONSOLE_URL}/`],
      id_token_signed_response_alg: process.env.OIDC_ALG ?? "ES256",
      backchannel_logout_uri: `${process.env.CONSOLE_URL}/api/v1/session/oidc/backchannel`,
      backchannel_logout_session_required: true,
    },
  ],
  jwks: { keys: [jwk("rsa", { modulusLength: 2048 }, { kid: "rsa" }), jwk("ec", { namedCurve: "P-256" }, { kid: "ec" })] },
  features: { backchannelLogout: { enabled: true } },
  // The console is at this machine's own address, which the library's own agent leaves alone.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  pkce: { required: () => true },
  cookies: { keys: ["a key of the test"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});
provider.on("backchannel.error", (_, error) => console.error("back-channel logout:", error));
createServer({ key: readFileSync(process.env.OIDC_KEY), cert: readFileSync(process.env.OIDC_CRT) }, provider.callback()).listen(port, "127.0.0.1");
