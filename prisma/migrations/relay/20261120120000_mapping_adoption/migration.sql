-- Replaces: 20261120120000_relay_mapping_adoption 1a3e70b86e8da0383bde1ad4889375b5ec425cc51d2df3e1062d626d721f5e5b
-- A mapping that was adopted was made by no call; reconciliation asks for what changed since a time.
ALTER TABLE `mapping`
  MODIFY COLUMN `operation_id` CHAR(36) NULL,
  ADD INDEX `mapping_updated_idx` (`project_id`, `updated_at`);
