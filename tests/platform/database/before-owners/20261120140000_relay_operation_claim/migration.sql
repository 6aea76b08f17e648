-- Who may write to an object is said by the operation's own row: a row of its own for each claim cost every call two writes.
ALTER TABLE `operation`
  ADD COLUMN `claim` CHAR(64) NULL AFTER `object_hash`,
  ADD UNIQUE INDEX `operation_claim_key` (`backend_id`, `claim`);

UPDATE `operation` o JOIN `object_claim` c ON c.`operation_id` = o.`id` SET o.`claim` = c.`object_hash`;

DROP TABLE `object_claim`;
