-- Brings tables of version 1 to version 2: rows say to which part of the PCs they belong (host_hash), so that months can be divided
-- by it. Run once by the owner of the tables, when each collector, console and herald is of a Sekisho that knows version 2
-- (one that does not stops, and says so):
--
--   psql -X -v ON_ERROR_STOP=1 [-v hosts=N] -d sekisho -f upgrade-2.sql
--
-- Collectors that know it may go on: they wait meanwhile, and PCs with them. What takes its time are the primary keys, which are
-- made anew over all that is there. Nothing of it is written again: rows of before have host_hash 0 and stay where they are, and the
-- month that is being written is not divided either. A log all of which is to be divided is moved into a new database
-- (sekishoctl store move), which goes on all the while.
BEGIN;

DO $$
BEGIN
	-- Nobody appends, nobody makes the index.
	PERFORM FROM sekisho.log FOR UPDATE;
	PERFORM FROM sekisho.indexed FOR UPDATE;
	IF (SELECT version FROM sekisho.log) <> 1 THEN
		RAISE EXCEPTION 'the tables are of version %, not 1', (SELECT version FROM sekisho.log);
	END IF;
END
$$;

ALTER TABLE sekisho.leaf ADD COLUMN host_hash integer NOT NULL DEFAULT 0, DROP CONSTRAINT leaf_pkey;
ALTER TABLE sekisho.leaf ADD PRIMARY KEY (month, idx, host_hash);
ALTER TABLE sekisho.body ADD COLUMN host_hash integer NOT NULL DEFAULT 0, DROP CONSTRAINT body_pkey;
ALTER TABLE sekisho.body ADD PRIMARY KEY (part, idx, host_hash);
ALTER TABLE sekisho.record ADD COLUMN host_hash integer NOT NULL DEFAULT 0, DROP CONSTRAINT record_pkey;
ALTER TABLE sekisho.record ADD PRIMARY KEY (month, row, host_hash);

\ir parts.sql
\if :{?hosts}
UPDATE sekisho.spread SET hosts = :hosts;
\endif
REVOKE ALL ON FUNCTION sekisho.part_make FROM PUBLIC;
GRANT SELECT ON sekisho.spread TO sekisho_ingest, sekisho_read;

ALTER TABLE sekisho.log DISABLE TRIGGER log_grows;
UPDATE sekisho.log SET version = 2;
ALTER TABLE sekisho.log ENABLE TRIGGER log_grows;

COMMIT;
