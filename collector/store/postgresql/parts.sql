-- Partitions: how they are made, and emptied. Part of schema.sql and of upgrade-2.sql, in a transaction of theirs; not run by itself.

-- Into how many tables, by the hash of host_hash, each partition is divided that is made from now on. 1: it is not. The owner may
-- change it; what is there stays as it is.
CREATE TABLE sekisho.spread (
	id bigint PRIMARY KEY CHECK (id = 0),
	hosts integer NOT NULL CHECK (hosts BETWEEN 1 AND 64)
);
INSERT INTO sekisho.spread VALUES (0, 1);

-- Makes partition p_value of a table, and attaches it: made in place it would wait for each reader, and each reader for it.
CREATE FUNCTION sekisho.part_make(p_table text, p_value bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part text := p_table || '_' || p_value;
	n integer := (SELECT hosts FROM sekisho.spread);
BEGIN
	EXECUTE format('CREATE TABLE sekisho.%I (LIKE sekisho.%I INCLUDING ALL)%s', part, p_table,
		CASE WHEN n > 1 THEN ' PARTITION BY HASH (host_hash)' ELSE '' END);
	FOR i IN 0 .. CASE WHEN n > 1 THEN n - 1 ELSE -1 END LOOP
		EXECUTE format('CREATE TABLE sekisho.%I PARTITION OF sekisho.%I FOR VALUES WITH (MODULUS %s, REMAINDER %s)',
			part || '_' || i, part, n, i);
	END LOOP;
	EXECUTE format('ALTER TABLE sekisho.%I ATTACH PARTITION sekisho.%I FOR VALUES IN (%s)', p_table, part, p_value);
END
$$;

-- Begins a month behind the last one.
CREATE OR REPLACE FUNCTION sekisho.month_begin(p_month bigint, p_first bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t text;
BEGIN
	IF p_month NOT BETWEEN 197001 AND 999912 OR p_month % 100 NOT BETWEEN 1 AND 12 OR
		EXISTS (SELECT FROM sekisho.month WHERE month >= p_month OR first >= p_first) THEN
		RAISE EXCEPTION 'month % does not follow', p_month;
	END IF;
	INSERT INTO sekisho.month VALUES (p_month, p_first);
	FOREACH t IN ARRAY ARRAY['leaf', 'record'] LOOP
		PERFORM sekisho.part_make(t, p_month);
	END LOOP;
END
$$;

-- The place of a channel's bodies of the month that is being written, made where it is not there.
CREATE OR REPLACE FUNCTION sekisho.body_part(p_part bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_part / 100 IS DISTINCT FROM (SELECT max(month) FROM sekisho.month) THEN
		RAISE EXCEPTION 'month % is not being written', p_part / 100;
	END IF;
	IF to_regclass('sekisho.body_' || p_part) IS NULL THEN
		PERFORM sekisho.part_make('body', p_part);
	END IF;
END
$$;

\ir expire.sql
