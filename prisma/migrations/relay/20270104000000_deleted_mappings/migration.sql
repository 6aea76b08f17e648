-- Deleted mappings are found in the order of their deletion. Live ones have no entry that changes in the index.

ALTER TABLE `mapping`
  ADD COLUMN `deleted_at` DATETIME(3) GENERATED ALWAYS AS (IF(`owner_slot` IS NULL, `updated_at`, NULL)) STORED,
  ADD INDEX `mapping_deleted_idx` (`deleted_at`);
