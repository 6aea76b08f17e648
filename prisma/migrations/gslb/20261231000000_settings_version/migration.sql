-- The version of an object after the last change of its settings. prisma/schema/gslb.prisma says what the columns are.

ALTER TABLE `gslb_flavor` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `gslb_flavor` SET `settings_version` = `version`, `updated_at` = `updated_at`;

ALTER TABLE `gslb_vantage_point` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `gslb_vantage_point` SET `settings_version` = `version`, `updated_at` = `updated_at`;

ALTER TABLE `gslb_monitor` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `gslb_monitor` SET `settings_version` = `version`, `updated_at` = `updated_at`;

ALTER TABLE `gslb_pool` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `gslb_pool` SET `settings_version` = `version`, `updated_at` = `updated_at`;

ALTER TABLE `gslb_pool_member` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `gslb_pool_member` SET `settings_version` = `version`, `updated_at` = `updated_at`;

ALTER TABLE `gslb` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `gslb` SET `settings_version` = `version`, `updated_at` = `updated_at`;

ALTER TABLE `gslb_zone` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `gslb_zone` SET `settings_version` = `version`, `updated_at` = `updated_at`;
