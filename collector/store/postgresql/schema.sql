-- The store in a PostgreSQL database (15 or newer). Run once, in an empty database that is encoded in UTF8, by the role that
-- is to own it:
--
--   psql -X -v ON_ERROR_STOP=1 [-v hosts=N] -d sekisho -f schema.sql
--
-- N, from 1 (the default) to 64, is into how many tables each month is divided by the hash of the PC (parts.sql). A database
-- of an earlier version is brought to this one by upgrade-2.sql and upgrade-3.sql. What each table is for, and how collectors take turns:
-- collector/store/ENGINES.md. Two roles are made where they are not there, without a login of their own; grant them to those that have one:
--
--   sekisho_ingest  appends: collectors. It can change nothing that was committed but through the functions below.
--   sekisho_read    reads: consoles, heralds, sekishoctl.
BEGIN;

DO $$
BEGIN
	IF current_setting('server_encoding') <> 'UTF8' THEN
		RAISE EXCEPTION 'the database is encoded in %, not in UTF8', current_setting('server_encoding');
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sekisho_ingest') THEN
		CREATE ROLE sekisho_ingest NOLOGIN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sekisho_read') THEN
		CREATE ROLE sekisho_read NOLOGIN;
	END IF;
END
$$;

CREATE SCHEMA sekisho;

-- --- the log ---

-- One row: who has it locked appends next. Its size only grows.
CREATE TABLE sekisho.log (
	id bigint PRIMARY KEY CHECK (id = 0),
	version bigint NOT NULL,
	origin bytea NOT NULL DEFAULT '',
	size bigint NOT NULL DEFAULT 0,
	checkpoint bytea NOT NULL DEFAULT ''
) WITH (fillfactor = 10);
INSERT INTO sekisho.log VALUES (0, 3);

CREATE FUNCTION sekisho.log_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP <> 'UPDATE' OR NEW.size <= OLD.size OR NEW.version <> OLD.version OR
		(OLD.size > 0 AND NEW.origin <> OLD.origin) THEN
		RAISE EXCEPTION 'the log only grows';
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER log_grows BEFORE UPDATE OR DELETE ON sekisho.log FOR EACH ROW EXECUTE FUNCTION sekisho.log_grows();

-- Months as collectors took segments in, 202611, and the first leaf of each.
CREATE TABLE sekisho.month (
	month bigint PRIMARY KEY,
	first bigint NOT NULL UNIQUE
);

-- host_hash, in these and in the rows of the index: the first four bytes of the PC's id, which is a SHA-256. Rows of before
-- there was that have 0. It stands last in each key, so that what is looked for by number is found without it.

-- Leaves: signed headers. A partition a month; never removed.
CREATE TABLE sekisho.leaf (
	month bigint NOT NULL,
	idx bigint NOT NULL,
	producer bigint NOT NULL,
	hash bytea NOT NULL,
	header bytea NOT NULL,
	host_hash integer NOT NULL DEFAULT 0,
	PRIMARY KEY (month, idx, host_hash),
	CHECK (hash = sha256(header))
) PARTITION BY LIST (month);

-- Bodies, compressed by the PCs. A partition for each channel (producer) of a month: 202611 * 100 + producer.
CREATE TABLE sekisho.body (
	part bigint NOT NULL,
	idx bigint NOT NULL,
	bytes bytea NOT NULL,
	host_hash integer NOT NULL DEFAULT 0,
	PRIMARY KEY (part, idx, host_hash)
) PARTITION BY LIST (part);

-- Channels of months whose bodies were taken away.
CREATE TABLE sekisho.expired (
	part bigint PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now()
);

-- Full hash tiles (C2SP tlog-tiles): 256 hashes each. What is right of them is made from the leaves.
CREATE TABLE sekisho.tile (
	level bigint NOT NULL,
	number bigint NOT NULL,
	hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
	PRIMARY KEY (level, number)
);

-- Compressed already, or hashes: trying again costs and gains nothing.
ALTER TABLE sekisho.leaf ALTER header SET STORAGE EXTERNAL;
ALTER TABLE sekisho.body ALTER bytes SET STORAGE EXTERNAL;
ALTER TABLE sekisho.tile ALTER hashes SET STORAGE EXTERNAL;

CREATE TABLE sekisho.cosigned (
	id bigint PRIMARY KEY CHECK (id = 0),
	note bytea NOT NULL
);

CREATE TABLE sekisho.witness (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	line bytea NOT NULL
);

-- One row where no collector may append: the log went on in another store, or this one is being filled (../bar.h).
CREATE TABLE sekisho.barred (
	id bigint PRIMARY KEY CHECK (id = 0),
	line bytea NOT NULL
);

-- --- chains of headers ---

CREATE TABLE sekisho.chain (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	host bytea NOT NULL,
	producer bigint NOT NULL,
	UNIQUE (host, producer)
);

CREATE TABLE sekisho.header (
	hash bytea PRIMARY KEY,
	idx bigint NOT NULL,
	seq bigint NOT NULL,
	chain bigint NOT NULL
);

CREATE TABLE sekisho.head (
	chain bigint NOT NULL,
	hash bytea NOT NULL,
	idx bigint NOT NULL,
	seq bigint NOT NULL,
	epoch bigint NOT NULL,
	PRIMARY KEY (chain, hash)
);

-- Predecessors that were named before they were there.
CREATE TABLE sekisho.orphan (
	chain bigint NOT NULL,
	prev bytea NOT NULL,
	PRIMARY KEY (chain, prev)
);

CREATE TABLE sekisho.epoch (
	chain bigint NOT NULL,
	number bigint NOT NULL,
	kid bytea NOT NULL,
	idx bigint NOT NULL,
	cert bytea NOT NULL,
	PRIMARY KEY (chain, number, kid)
);

-- --- PCs ---

CREATE TABLE sekisho.host (
	id bytea PRIMARY KEY,
	name bytea NOT NULL,
	state bigint NOT NULL,
	spki bytea NOT NULL,
	tls_key bytea NOT NULL,
	enrolled bigint NOT NULL,
	seen bigint NOT NULL
);
CREATE INDEX host_name ON sekisho.host (name, id);

-- --- the index: made from the leaves and bodies, and made again by sekishoctl store rebuild ---

CREATE TABLE sekisho.indexed (
	id bigint PRIMARY KEY CHECK (id = 0),
	next bigint NOT NULL,
	records bigint NOT NULL,
	last_row bigint NOT NULL,
	named boolean NOT NULL DEFAULT true
);
INSERT INTO sekisho.indexed VALUES (0, 0, 0, 0);

-- Names are bytes: not every path is text. names: hashes of the last components of user, program and both paths, in all rows where
-- indexed.named says so (pg.h). Numbers of rows: leaf << 15 | place in the segment, from 1.
CREATE TABLE sekisho.record (
	month bigint NOT NULL,
	row bigint NOT NULL,
	time bigint NOT NULL,
	chain bigint NOT NULL,
	kind integer NOT NULL,
	class integer NOT NULL,
	usr bytea NOT NULL,
	program bytea NOT NULL,
	path bytea NOT NULL,
	path2 bytea NOT NULL,
	args bytea NOT NULL,
	host_hash integer NOT NULL DEFAULT 0,
	names integer[] NOT NULL DEFAULT '{}',
	PRIMARY KEY (month, row, host_hash)
) PARTITION BY LIST (month);
CREATE INDEX record_time ON sekisho.record (time, row);
CREATE INDEX record_chain ON sekisho.record (chain, time, row);
CREATE INDEX record_kind ON sekisho.record (kind, time, row);
CREATE INDEX record_names ON sekisho.record USING gin (names);

-- --- what collectors do beside adding rows ---

-- A header into its chain. The leaf that it is already, or -1. As collector/store/chains.c.
CREATE FUNCTION sekisho.append(p_hash bytea, p_idx bigint, p_host bytea, p_producer bigint, p_seq bigint, p_prev bytea,
	p_epoch bigint, p_kid bytea, p_cert bytea) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c bigint;
	known bigint;
BEGIN
	SELECT idx INTO known FROM sekisho.header WHERE hash = p_hash;
	IF FOUND THEN
		RETURN known;
	END IF;
	SELECT id INTO c FROM sekisho.chain WHERE host = p_host AND producer = p_producer;
	IF NOT FOUND THEN
		INSERT INTO sekisho.chain (host, producer) VALUES (p_host, p_producer) RETURNING id INTO c;
	END IF;
	INSERT INTO sekisho.header VALUES (p_hash, p_idx, p_seq, c);
	IF p_prev IS NOT NULL THEN
		DELETE FROM sekisho.head WHERE chain = c AND hash = p_prev;
		IF NOT FOUND AND NOT EXISTS (SELECT FROM sekisho.header WHERE hash = p_prev) THEN
			INSERT INTO sekisho.orphan VALUES (c, p_prev) ON CONFLICT DO NOTHING;
		END IF;
	END IF;
	IF NOT EXISTS (SELECT FROM sekisho.orphan WHERE chain = c AND prev = p_hash) THEN
		INSERT INTO sekisho.head VALUES (c, p_hash, p_idx, p_seq, p_epoch);
	END IF;
	IF p_cert IS NOT NULL THEN
		INSERT INTO sekisho.epoch VALUES (c, p_epoch, p_kid, p_idx, p_cert)
		ON CONFLICT (chain, number, kid) DO UPDATE SET idx = excluded.idx, cert = excluded.cert;
	END IF;
	RETURN -1;
END
$$;

-- Forgets what is derived; it is made again by store_rebuild. Tables that came from version 2 have their index of names since then.
CREATE FUNCTION sekisho.forget_index() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	TRUNCATE sekisho.record;
	CREATE INDEX IF NOT EXISTS record_names ON sekisho.record USING gin (names);
	UPDATE sekisho.indexed SET next = 0, records = 0, last_row = 0, named = true;
	DELETE FROM sekisho.host;
END
$$;

\ir parts.sql
\if :{?hosts}
UPDATE sekisho.spread SET hosts = :hosts;
\endif

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA sekisho FROM PUBLIC;
GRANT USAGE ON SCHEMA sekisho TO sekisho_ingest, sekisho_read;
GRANT SELECT ON ALL TABLES IN SCHEMA sekisho TO sekisho_ingest, sekisho_read;
GRANT UPDATE (origin, size, checkpoint) ON sekisho.log TO sekisho_ingest;
GRANT INSERT ON sekisho.leaf, sekisho.body, sekisho.tile, sekisho.witness, sekisho.record TO sekisho_ingest;
GRANT INSERT, UPDATE ON sekisho.cosigned, sekisho.host TO sekisho_ingest;
GRANT INSERT, UPDATE, DELETE ON sekisho.barred TO sekisho_ingest;
GRANT UPDATE ON sekisho.indexed TO sekisho_ingest;
GRANT EXECUTE ON FUNCTION sekisho.month_begin, sekisho.body_part, sekisho.append, sekisho.expire, sekisho.forget_index
	TO sekisho_ingest;

COMMIT;

-- What several collectors share; a file of its own, for databases that were made before there was any.
\ir shared.sql
