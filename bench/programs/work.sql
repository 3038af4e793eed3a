CREATE TABLE item(id INTEGER PRIMARY KEY, kind INTEGER, name TEXT, price REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
  INSERT INTO item SELECT i, i * 7919 % 101, 'item-' || (i * 31 % 5003), i % 997 / 4.0 FROM n;
CREATE INDEX by_kind ON item(kind, price);
CREATE TABLE kind AS SELECT DISTINCT kind AS id, 'kind ' || kind AS title FROM item;
SELECT title, count(*), sum(price), max(name) FROM item JOIN kind ON kind.id = item.kind GROUP BY kind ORDER BY sum(price) DESC, title LIMIT 5;
SELECT count(*) FROM item WHERE name LIKE '%9%' AND price BETWEEN 10 AND 200;
UPDATE item SET price = price + kind WHERE kind % 3 = 0;
DELETE FROM item WHERE id % 5 = 2;
SELECT a.kind, count(*) FROM item a JOIN item b ON a.kind = b.kind AND a.price = b.price AND a.id < b.id GROUP BY a.kind ORDER BY 2 DESC, 1 LIMIT 5;
SELECT substr(name, 1, 7), avg(price), total(length(name)) FROM item GROUP BY 1 ORDER BY 1 LIMIT 10;
SELECT sum(price), count(DISTINCT name) FROM item;
