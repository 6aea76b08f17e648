-- A mapping that was adopted was made by no call; reconciliation asks for what changed since a time.
ALTER TABLE `mapping`
  MODIFY COLUMN `operation_id` CHAR(36) NULL,
  ADD INDEX `mapping_updated_idx` (`project_id`, `updated_at`);
