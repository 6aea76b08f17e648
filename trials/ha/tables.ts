// Tables of the trial's client. Each write has an event, as in the product. ha_number_events() numbers events without a number, one caller
// at a time. It runs with the rights of its caller. With the rights of its creator it could write on a read-only server.
import { database } from './settings.ts';

/** The same as in the product's migrations. */
export const timeline: readonly string[] = [
  `CREATE TABLE ${database}.db_timeline (epoch INT UNSIGNED NOT NULL PRIMARY KEY, lossy BOOLEAN NOT NULL DEFAULT false, gtid VARCHAR(255) NULL, at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3))`,
  `INSERT INTO ${database}.db_timeline (epoch) VALUES (1)`,
];

export const tables: readonly string[] = [
  `CREATE TABLE ${database}.ha_counter (id INT PRIMARY KEY, n INT UNSIGNED NOT NULL)`,
  `INSERT INTO ${database}.ha_counter VALUES (1, 0)`,
  `CREATE TABLE ${database}.ha_sequencer (id INT PRIMARY KEY, last BIGINT UNSIGNED NOT NULL)`,
  `INSERT INTO ${database}.ha_sequencer VALUES (1, 0)`,
  `CREATE TABLE ${database}.ha_event (seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, number BIGINT UNSIGNED NULL UNIQUE, id VARCHAR(40) NOT NULL)`,
  `CREATE TABLE ${database}.ha_write (id VARCHAR(40) NOT NULL PRIMARY KEY, epoch INT UNSIGNED NOT NULL, server INT UNSIGNED NOT NULL)`,
  `CREATE TRIGGER ${database}.ha_write_event AFTER INSERT ON ${database}.ha_write FOR EACH ROW INSERT INTO ${database}.ha_event (id) VALUES (NEW.id)`,
  `CREATE PROCEDURE ${database}.ha_number_events() MODIFIES SQL DATA SQL SECURITY INVOKER
   BEGIN
     DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
     SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
     START TRANSACTION;
     SELECT last INTO @last FROM ha_sequencer WHERE id = 1 FOR UPDATE;
     UPDATE ha_event SET number = (@last := @last + 1) WHERE number IS NULL ORDER BY seq LIMIT 1000;
     UPDATE ha_sequencer SET last = @last WHERE id = 1;
     COMMIT;
   END`,
];
