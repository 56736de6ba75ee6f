-- Brings tables of version 2 to version 3: rows of the index have hashes of the last components of their names, by which records
-- of a file, a person or a program are found without reading the others. Run once by the owner of the tables, when each collector,
-- console and herald is of a Sekisho that knows version 3 (one that does not stops, and says so):
--
--   psql -X -v ON_ERROR_STOP=1 -d sekisho -f upgrade-3.sql
--
-- It waits for questions that are being answered, and new ones wait for it, a moment; no row is touched. Rows that are there have no
-- hashes, so names are found as before until the index is made anew (sekishoctl store rebuild, while no collector has the log open).
BEGIN;

DO $$
BEGIN
	-- Nobody appends, nobody makes the index.
	PERFORM FROM sekisho.log FOR UPDATE;
	PERFORM FROM sekisho.indexed FOR UPDATE;
	IF (SELECT version FROM sekisho.log) <> 2 THEN
		RAISE EXCEPTION 'the tables are of version %, not 2', (SELECT version FROM sekisho.log);
	END IF;
END
$$;

ALTER TABLE sekisho.record ADD COLUMN names integer[] NOT NULL DEFAULT '{}';
ALTER TABLE sekisho.indexed ADD COLUMN named boolean NOT NULL DEFAULT true;
UPDATE sekisho.indexed SET named = false;

CREATE OR REPLACE FUNCTION sekisho.forget_index() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	TRUNCATE sekisho.record;
	CREATE INDEX IF NOT EXISTS record_names ON sekisho.record USING gin (names);
	UPDATE sekisho.indexed SET next = 0, records = 0, last_row = 0, named = true;
	DELETE FROM sekisho.host;
END
$$;

ALTER TABLE sekisho.log DISABLE TRIGGER log_grows;
UPDATE sekisho.log SET version = 3;
ALTER TABLE sekisho.log ENABLE TRIGGER log_grows;

COMMIT;
