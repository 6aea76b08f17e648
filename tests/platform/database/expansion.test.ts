// Which migrations only add to the tables. All of the product are such, or say what they take away.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { isExpansion } from '../../../platform/database/expansion.ts';

test.each<[string, boolean]>([
  ['CREATE TABLE `a` (`id` INT NOT NULL, PRIMARY KEY (`id`)) DEFAULT CHARACTER SET utf8mb4;', true],
  ['-- A comment; with a semicolon.\nCREATE INDEX `a_idx` ON `a` (`b`, `c`);', true],
  ['ALTER TABLE `a` ADD COLUMN `b` INT NULL, ADD INDEX `b_idx` (`b`, `c`), DROP INDEX `c_idx`;', true],
  ["ALTER TABLE `a` ADD COLUMN `b` VARCHAR(9) NOT NULL DEFAULT 'x, y; z' AFTER `c`;", true],
  ['ALTER TABLE `a` ADD COLUMN `b` INT GENERATED ALWAYS AS (IF(`c` IS NULL, 1, 2)) STORED;', true],
  ['ALTER TABLE `a` ADD COLUMN `b` INT NULL, ADD UNIQUE INDEX `b_key` (`b`);', true],
  ['ALTER TABLE `a` ADD COLUMN `b` INT NOT NULL DEFAULT 1, ADD UNIQUE INDEX `b_key` (`b`);', false],
  ['INSERT INTO `a` (`id`) VALUES (1);\nUPDATE `a` SET `b` = `c`;', true],
  ['ALTER TABLE `a` ADD COLUMN `b` INT NOT NULL;', false],
  ['ALTER TABLE `a` ADD COLUMN `b` INT NULL, DROP COLUMN `c`;', false],
  ['ALTER TABLE `a` MODIFY `b` BIGINT NOT NULL;', false],
  ['ALTER TABLE `a` CHANGE `b` `c` INT;', false],
  ['ALTER TABLE `a` ADD UNIQUE INDEX `b_key` (`b`);', false],
  ['ALTER TABLE `a` ADD CONSTRAINT `b_fk` FOREIGN KEY (`b`) REFERENCES `c` (`id`);', false],
  ['ALTER TABLE `a` RENAME TO `b`;', false],
  ['DROP TABLE `a`;', false],
  ['DELETE FROM `a`;', false],
  ['TRUNCATE `a`;', false],
  ['CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.b = 1;', false],
  ['-- Contract: processes before 0.3 read the old values.\nUPDATE `a` SET `b` = 2;', false],
])('%s', (sql, expands) => {
  expect(isExpansion(sql)).toBe(expands);
});

test('each migration after the first of its owner adds only, or says that it takes away', async () => {
  const folder = new URL('../../../prisma/migrations/', import.meta.url).pathname;
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('migration.sql'));
  const faults: string[] = [];
  for (const name of files) {
    const sql = await readFile(join(folder, name), 'utf8');
    if (!name.includes('_init/') && !isExpansion(sql) && !/^-- Contract:/m.test(sql)) faults.push(name);
  }
  expect(files.length).toBeGreaterThan(20);
  expect(faults).toEqual([]);
});
