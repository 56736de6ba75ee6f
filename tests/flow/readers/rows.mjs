// Rows of Parquet files by two readers that know nothing of each other, one line of JSON a row, in the order of the file; facts that
// are null are left out. Numbers are digits, so that none is rounded; times {"us": digits}; bytes {"hex": ...}.
//   rows.mjs duckdb|hyparquet FILE...
// Or how many rows fit each condition of standard input, a line each, beside it:
//   rows.mjs count FILE
import { readFileSync } from 'node:fs';

const [reader, ...files] = process.argv.slice(2);

const hex = (bytes) => ({ hex: Buffer.from(bytes).toString('hex') });
const line = (row) =>
	JSON.stringify(row, (_, v) => (typeof v === 'bigint' || typeof v === 'number' ? { n: String(v) } : v)).replace(/\{"n":"(-?\d+)"\}/g, '$1');

async function* duckdb() {
	const { DuckDBInstance, DuckDBBlobValue, DuckDBTimestampTZValue } = await import('@duckdb/node-api');
	const db = await (await DuckDBInstance.create(':memory:')).connect();
	const plain = (v) =>
		v instanceof DuckDBBlobValue ? hex(v.bytes) : v instanceof DuckDBTimestampTZValue ? { us: v.micros } : v;
	for (const file of files) {
		const result = await db.runAndReadAll(`SELECT * FROM read_parquet('${file}')`);
		const names = result.columnNames();
		for (const row of result.getRows())
			yield Object.fromEntries(names.map((name, i) => [name, plain(row[i])]).filter(([, v]) => v !== null));
	}
}

async function* hyparquet() {
	const { parquetReadObjects } = await import('hyparquet');
	const { compressors } = await import('hyparquet-compressors');
	const parsers = { timestampFromMicroseconds: (us) => ({ us }), stringFromBytes: (b) => b && new TextDecoder('utf-8', { ignoreBOM: true }).decode(b) };
	for (const path of files) {
		const bytes = readFileSync(path);
		const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
		for (const row of await parquetReadObjects({ file, compressors, parsers, utf8: false }))
			yield Object.fromEntries(
				Object.entries(row)
					.filter(([, v]) => v !== null && v !== undefined)
					.map(([name, v]) => [name, v instanceof Uint8Array ? hex(v) : v]),
			);
	}
}

async function count() {
	const { DuckDBInstance } = await import('@duckdb/node-api');
	const db = await (await DuckDBInstance.create(':memory:')).connect();
	for (const condition of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
		const result = await db.runAndReadAll(`SELECT count(*) FROM read_parquet('${files[0]}') WHERE ${condition}`);
		process.stdout.write(`${condition}\t${result.getRows()[0][0]}\n`);
	}
}

if (reader === 'count') await count();
else for await (const row of { duckdb, hyparquet }[reader]()) process.stdout.write(line(row) + '\n');
