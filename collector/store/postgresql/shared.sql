-- What several collectors over one log share beside it (collector/store/ENGINES.md, "One log, many collectors"). Run once by the
-- owner of the tables: schema.sql does so; a database that was made before this file existed gets it by
--
--   psql -X -v ON_ERROR_STOP=1 -d sekisho -f shared.sql
--
-- while collectors and readers go on: nothing that was there is changed. Collectors use it from their next start on. Its number
-- is one of its own, so that readers of the log need not know of it.
BEGIN;

CREATE TABLE sekisho.shared (
	id bigint PRIMARY KEY CHECK (id = 0),
	version bigint NOT NULL
);
INSERT INTO sekisho.shared VALUES (0, 1);

-- What a single collector keeps in folders of its own, a file each: kind is the folder, name the file. Tokens are hashed,
-- policies signed, answers to collectors that join sealed to them: there is no secret in it.
CREATE TABLE sekisho.shelf (
	kind text NOT NULL,
	name text NOT NULL,
	value bytea NOT NULL,
	PRIMARY KEY (kind, name)
);

-- Who did what once at a time: `at` is when it was last begun, in microseconds since 1970.
CREATE TABLE sekisho.duty (
	name text PRIMARY KEY,
	at bigint NOT NULL,
	by bytea NOT NULL
);

-- A signed policy stays what it was.
CREATE FUNCTION sekisho.policy_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'a policy that was pushed stays';
END
$$;
CREATE TRIGGER policy_stays BEFORE UPDATE OR DELETE ON sekisho.shelf FOR EACH ROW WHEN (OLD.kind = 'policy')
EXECUTE FUNCTION sekisho.policy_stays();

-- Other collectors hear of what they act on at once: that it changed, not what it is now; they look.
CREATE FUNCTION sekisho.shelf_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_catalog.pg_notify('sekisho', NEW.kind || ' ' || NEW.name);
	RETURN NULL;
END
$$;
CREATE TRIGGER shelf_tells AFTER INSERT OR UPDATE ON sekisho.shelf FOR EACH ROW WHEN (NEW.kind IN ('policy', 'follow'))
EXECUTE FUNCTION sekisho.shelf_tells();

CREATE FUNCTION sekisho.host_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_catalog.pg_notify('sekisho', 'host ' || pg_catalog.encode(NEW.id, 'hex'));
	RETURN NULL;
END
$$;
CREATE TRIGGER host_tells AFTER UPDATE OF state ON sekisho.host FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
EXECUTE FUNCTION sekisho.host_tells();

REVOKE ALL ON FUNCTION sekisho.policy_stays, sekisho.shelf_tells, sekisho.host_tells FROM PUBLIC;
GRANT SELECT ON sekisho.shared TO sekisho_ingest, sekisho_read;
GRANT SELECT, INSERT, UPDATE, DELETE ON sekisho.shelf TO sekisho_ingest;
GRANT SELECT, INSERT, UPDATE ON sekisho.duty TO sekisho_ingest;

COMMIT;
