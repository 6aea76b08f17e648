-- Deleted mappings, which have no owner, are found in the order of their deletion.

ALTER TABLE `mapping` ADD INDEX `mapping_deleted_idx` (`owner_slot`, `updated_at`);
