-- Users, projects, memberships, sessions, API tokens and machines; what was last reported of the HA cluster.
-- prisma/schema/system.prisma says what each table and column is.

CREATE TABLE `user` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `password_hash` VARCHAR(255) NULL,
  `admin` BOOLEAN NOT NULL DEFAULT false,
  `disabled` BOOLEAN NOT NULL DEFAULT false,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `user_name_key` (`name`),
  INDEX `user_list_idx` (`name`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `project` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `description` VARCHAR(1024) NOT NULL DEFAULT '',
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `project_name_key` (`name`),
  INDEX `project_list_idx` (`name`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `membership` (
  `project_id` CHAR(36) NOT NULL,
  `user_id` CHAR(36) NOT NULL,
  `role` VARCHAR(16) NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`project_id`, `user_id`),
  INDEX `membership_user_idx` (`user_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `api_token` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `role` VARCHAR(16) NOT NULL,
  `secret_hash` CHAR(64) NOT NULL,
  `prefix` VARCHAR(16) NOT NULL,
  `created_by` CHAR(36) NOT NULL,
  `user_id` CHAR(36) NULL,
  `parent_id` CHAR(36) NULL,
  `maker_name` VARCHAR(63) NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `expires_at` DATETIME(3) NULL,
  `revoked_at` DATETIME(3) NULL,
  `last_used_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `api_token_secret_key` (`secret_hash`),
  INDEX `api_token_project_idx` (`project_id`, `id`),
  INDEX `api_token_project_name_idx` (`project_id`, `name`, `id`),
  INDEX `api_token_name_idx` (`name`, `id`),
  INDEX `api_token_working_idx` (`project_id`, `revoked_at`, `expires_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `session` (
  `id` CHAR(36) NOT NULL,
  `user_id` CHAR(36) NOT NULL,
  `refresh_hash` CHAR(64) NOT NULL,
  `family_hash` CHAR(64) NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `expires_at` DATETIME(3) NOT NULL,
  `ended_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `session_refresh_key` (`refresh_hash`),
  INDEX `session_user_idx` (`user_id`),
  INDEX `session_expires_idx` (`expires_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `machine` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `active_name` VARCHAR(63) NULL,
  `role` VARCHAR(63) NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `join_hash` CHAR(64) NOT NULL,
  `join_until` DATETIME(3) NOT NULL,
  `join_key_hash` CHAR(64) NULL,
  `created_by` CHAR(36) NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `joined_at` DATETIME(3) NULL,
  `expires_at` DATETIME(3) NULL,
  `revoked_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `machine_join_key` (`join_hash`),
  UNIQUE INDEX `machine_active_name_key` (`active_name`),
  INDEX `machine_name_idx` (`name`, `id`),
  INDEX `machine_revoked_idx` (`revoked_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `machine_token` (
  `hash` CHAR(64) NOT NULL,
  `machine_id` CHAR(36) NOT NULL,
  `expires_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`hash`),
  INDEX `machine_token_machine_idx` (`machine_id`, `expires_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `ha_told` (
  `id` TINYINT UNSIGNED NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `epoch` INT NOT NULL DEFAULT 0,
  `copies` INT NOT NULL DEFAULT 0,
  `paused` BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `ha_act_audited` (
  `id` VARCHAR(64) NOT NULL,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Rows that are deleted with their parent.
ALTER TABLE `membership` ADD CONSTRAINT `membership_project_fk` FOREIGN KEY (`project_id`) REFERENCES `project` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `membership` ADD CONSTRAINT `membership_user_fk` FOREIGN KEY (`user_id`) REFERENCES `user` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `api_token` ADD CONSTRAINT `api_token_project_fk` FOREIGN KEY (`project_id`) REFERENCES `project` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `session` ADD CONSTRAINT `session_user_fk` FOREIGN KEY (`user_id`) REFERENCES `user` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `machine_token` ADD CONSTRAINT `machine_token_machine_fk` FOREIGN KEY (`machine_id`) REFERENCES `machine` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;

INSERT INTO `ha_told` (`id`) VALUES (1);
