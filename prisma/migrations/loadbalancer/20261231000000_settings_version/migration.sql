-- The version of an object after the last change of its settings. prisma/schema/loadbalancer.prisma says what the columns are.

ALTER TABLE `lb_load_balancer` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `lb_load_balancer` SET `settings_version` = `version`, `updated_at` = `updated_at`;

ALTER TABLE `lb_part` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `lb_part` SET `settings_version` = `version`, `updated_at` = `updated_at`;

ALTER TABLE `lb_host` ADD COLUMN `settings_version` INTEGER NOT NULL DEFAULT 1;
UPDATE `lb_host` SET `settings_version` = `version`, `updated_at` = `updated_at`;
