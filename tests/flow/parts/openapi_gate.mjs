// A public tool between who asks and the console: express-openapi-validator (npm) judges by openapi.yaml, as they pass, each request and each JSON
// answer. What it would refuse goes on to the console all the same, which has to refuse it too. console_contract.py starts it: the port is its
// first line, and when its standard input ends it tells what was wrong, one line each, and how much it saw.
//
//     node openapi_gate.mjs openapi.yaml
import { readFileSync } from "node:fs";
import { request as ask } from "node:https";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.PAGE_SOURCE, "package.json"));
const express = require("express");
const { middleware } = require("express-openapi-validator");

const { CONSOLE_PORT, CONSOLE_CA } = process.env;
const ca = readFileSync(CONSOLE_CA);
const HOP = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "host"]);
const wrong = [];
const count = { passed: 0, refused: 0, judged: 0 };

function forward(req, res, next) {
  const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => !HOP.has(name)));
  // Attempts are counted by address: the console sees the one that the person has.
  const onward = ask(
    {
      host: "127.0.0.1",
      port: CONSOLE_PORT,
      ca,
      method: req.method,
      path: req.originalUrl,
      localAddress: req.socket.remoteAddress.replace(/^::ffff:/, ""),
      headers: { ...headers, host: `127.0.0.1:${CONSOLE_PORT}`, ...(req.method === "GET" ? {} : { "content-length": req.bytes.length }) },
    },
    (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("error", next);
      answer.on("end", () => {
        req.answer = { status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(parts) };
        if (req.refusal) {
          count.refused++;
          if (answer.statusCode < 400) wrong.push(`${req.method} ${req.originalUrl}: ${answer.statusCode}, although ${req.refusal}`);
        } else count.passed++;
        give(req, res);
      });
    },
  );
  onward.on("error", next);
  onward.end(req.bytes);
}

function give(req, res) {
  const { status, headers, bytes } = req.answer;
  for (const [name, value] of Object.entries(headers)) if (!HOP.has(name)) res.setHeader(name, value);
  res.status(status);
  if (!req.refusal && /^application\/json/.test(headers["content-type"] ?? "")) {
    count.judged++;
    // Judged on the way; what goes out are the console's own bytes.
    const end = res.end.bind(res);
    res.send = () => end(bytes);
    res.json(JSON.parse(bytes.toString()));
  } else res.end(bytes);
}

const app = express();
app.disable("x-powered-by");
app.disable("etag");
app.use(express.raw({ type: () => true, limit: "16mb" }));
app.use((req, res, next) => {
  req.bytes = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  req.body = undefined;
  if (/^application\/json/.test(req.headers["content-type"] ?? ""))
    try {
      req.body = JSON.parse(req.bytes.toString());
    } catch (e) {
      req.refusal = `its body is no JSON (${e.message})`;
      return forward(req, res, next);
    }
  else if (req.bytes.length) req.body = req.bytes;
  next();
});
app.use(
  middleware({
    apiSpec: process.argv[2],
    validateApiSpec: true,
    validateRequests: { allowUnknownQueryParameters: false },
    validateResponses: true,
    validateSecurity: false,
    fileUploader: false,
  }),
);
app.use(forward);
// Express knows it for what takes errors by its four parameters.
app.use((err, req, res, next) => {
  if (!req.answer && err.status >= 400 && err.status < 500) {
    req.refusal = err.message;
    return forward(req, res, next);
  }
  wrong.push(`${req.method} ${req.originalUrl}: ${req.answer?.status ?? "no answer"}: ${err.message}`);
  if (res.headersSent) return res.end();
  res.status(req.answer?.status ?? 500).end(req.answer?.bytes ?? "");
});

const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on("end", () => {
  for (const line of wrong) console.log(line);
  console.log(JSON.stringify(count));
  process.exit(0);
});
