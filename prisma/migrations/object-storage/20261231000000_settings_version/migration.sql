-- The version of an object after the last change of its settings. prisma/schema/object-storage.prisma says what the columns are.

ALTER TABLE `object_cluster` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `object_cluster` SET `settings_version` = `version`, `updated_at` = `updated_at`;
