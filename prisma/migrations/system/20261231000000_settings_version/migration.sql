-- The version of an alert rule after the last change of its settings. prisma/schema/system.prisma says what the column is.

ALTER TABLE `alert_rule` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `alert_rule` SET `settings_version` = `version`, `updated_at` = `updated_at`;
