-- Settings of objects after each change. prisma/schema/platform.prisma says what each column is.

CREATE TABLE `configuration_version` (
  `id` CHAR(36) NOT NULL,
  `subject_type` VARCHAR(64) NOT NULL,
  `subject_id` CHAR(36) NOT NULL,
  `number` INT UNSIGNED NOT NULL,
  `root_id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NULL,
  `name` VARCHAR(255) NOT NULL,
  `object_version` INT UNSIGNED NOT NULL,
  `settings` LONGTEXT NULL,
  `secrets_set` VARCHAR(255) NOT NULL DEFAULT '',
  `mutation` VARCHAR(64) NULL,
  `actor_kind` VARCHAR(16) NOT NULL,
  `actor_id` CHAR(36) NULL,
  `actor_name` VARCHAR(255) NOT NULL,
  `request_id` VARCHAR(64) NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `configuration_version_subject_key` (`subject_id`, `subject_type`, `number`),
  INDEX `configuration_version_root_idx` (`root_id`, `id`),
  INDEX `configuration_version_time_idx` (`subject_id`, `id`),
  INDEX `configuration_version_project_idx` (`project_id`, `id`),
  INDEX `configuration_version_at_idx` (`at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
