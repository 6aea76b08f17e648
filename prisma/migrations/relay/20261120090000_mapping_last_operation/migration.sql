-- Replaces: 20261120090000_relay_mapping_last_operation 711b4924d7ecccc86f2b20ea41db8d5eb5cded1b62f2d5fd23422728a17296f4
-- The call that touched a mapping last, beside the one that made it: a delete shows what it deleted, and an unknown call
-- that turned out not to have happened gives a mapping back as it was.
ALTER TABLE `mapping`
  ADD COLUMN `last_operation_id` CHAR(36) NULL AFTER `operation_id`,
  ADD INDEX `mapping_last_operation_idx` (`last_operation_id`);
