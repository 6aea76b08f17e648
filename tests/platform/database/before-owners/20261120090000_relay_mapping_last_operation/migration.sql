-- The call that touched a mapping last, beside the one that made it: a delete shows what it deleted, and an unknown call
-- that turned out not to have happened gives a mapping back as it was.
ALTER TABLE `mapping`
  ADD COLUMN `last_operation_id` CHAR(36) NULL AFTER `operation_id`,
  ADD INDEX `mapping_last_operation_idx` (`last_operation_id`);
