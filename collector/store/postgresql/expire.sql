-- How a month's bodies of a channel go, and their rows of the index. Part of parts.sql, in a transaction of its caller's; a database
-- that was made before this file existed gets it, whatever the version of its tables is and while collectors and readers go on, by
--
--   psql -X -1 -v ON_ERROR_STOP=1 -d sekisho -f expire.sql
--
-- While a dump runs it fails within a second, having changed nothing: run it again then. (It would wait for the dump, and all who read
-- would wait for it.)
--
-- Without it all rows go in the statement that takes the bodies, which at many millions takes minutes, and collectors wait for it.

-- Rows of the part may be left in the index, from this one on; NULL: none.
SET LOCAL lock_timeout = '1s';
ALTER TABLE sekisho.expired ADD COLUMN IF NOT EXISTS rows_from bigint;
SET LOCAL lock_timeout TO DEFAULT;

-- Takes away the bodies of a channel of a month that is over. Bytes; -1: no such month; -2: not now, or never. Their rows go by
-- expire_rows, behind it; until then who finds one finds no body, and passes over it.
CREATE OR REPLACE FUNCTION sekisho.expire(p_month bigint, p_producer bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p bigint := p_month * 100 + p_producer;
	there boolean := to_regclass('sekisho.body_' || p) IS NOT NULL;
	freed bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM sekisho.month WHERE month = p_month) THEN
		RETURN -1;
	END IF;
	IF p_month = (SELECT max(month) FROM sekisho.month) OR p_producer = 16 OR p_producer NOT BETWEEN 1 AND 99 THEN
		RETURN -2;
	END IF;
	-- Whoever makes the index now must not put rows behind it: from here on there are none to be made.
	PERFORM FROM sekisho.indexed FOR UPDATE;
	INSERT INTO sekisho.expired (part, rows_from) VALUES (p, CASE WHEN there THEN 0 END) ON CONFLICT DO NOTHING;
	IF NOT FOUND OR NOT there THEN
		RETURN 0;
	END IF;
	freed := (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(to_regclass('sekisho.body_' || p)));
	EXECUTE format('TRUNCATE sekisho.%I', 'body_' || p);
	RETURN freed;
END
$$;

-- Takes away rows whose bodies have gone: of the next p_rows of that month's, of all channels. 1: there may be more; 0: there are none;
-- -1: somebody else is at the index now. Where it is cut off, it goes on from there.
CREATE OR REPLACE FUNCTION sekisho.expire_rows(p_month bigint, p_producer bigint, p_rows bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- Along the primary key, whatever is known of the table: all of it would be read and sorted each time.
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
	p bigint := p_month * 100 + p_producer;
	a bigint;
	z bigint;
	gone bigint;
BEGIN
	PERFORM FROM sekisho.expired WHERE part = p AND rows_from IS NOT NULL;
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	PERFORM FROM sekisho.indexed WHERE id = 0 FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN -1;
	END IF;
	-- Behind the lock: another one may have gone on meanwhile.
	a := (SELECT rows_from FROM sekisho.expired WHERE part = p);
	IF a IS NULL THEN
		RETURN 0;
	END IF;
	z := (SELECT row FROM sekisho.record WHERE month = p_month AND row >= a ORDER BY row OFFSET p_rows LIMIT 1);
	-- Row by row: joined with chains it could be each chain's rows, all of them, each time.
	DELETE FROM sekisho.record r
	WHERE month = p_month AND row >= a AND row < coalesce(z, 9223372036854775807) AND
		(SELECT producer FROM sekisho.chain WHERE id = r.chain) = p_producer;
	GET DIAGNOSTICS gone = ROW_COUNT;
	UPDATE sekisho.indexed SET records = records - gone WHERE id = 0;
	UPDATE sekisho.expired SET rows_from = z WHERE part = p;
	RETURN CASE WHEN z IS NULL THEN 0 ELSE 1 END;
END
$$;

REVOKE ALL ON FUNCTION sekisho.expire, sekisho.expire_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sekisho.expire, sekisho.expire_rows TO sekisho_ingest;
