-- The version of an object after the last change of its settings. prisma/schema/relay.prisma says what the columns are.

ALTER TABLE `backend` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `backend` SET `settings_version` = `version`, `updated_at` = `updated_at`;
