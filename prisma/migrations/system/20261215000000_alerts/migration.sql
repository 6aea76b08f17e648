-- Alerts: rules, channels, what stands in a condition, alerts, and notifications. prisma/schema/system.prisma says what each table
-- and column is.

CREATE TABLE `alert_channel` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NULL,
  `scope` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `kind` VARCHAR(16) NOT NULL,
  `enabled` BOOLEAN NOT NULL DEFAULT true,
  `spec` TEXT NOT NULL,
  `key_id` VARCHAR(64) NOT NULL,
  `sealed_secret` VARBINARY(8192) NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `alert_channel_name_key` (`scope`, `name`),
  INDEX `alert_channel_list_idx` (`name`, `id`),
  INDEX `alert_channel_project_idx` (`project_id`, `id`),
  INDEX `alert_channel_project_name_idx` (`project_id`, `name`, `id`),
  CONSTRAINT `alert_channel_project_fk` FOREIGN KEY (`project_id`) REFERENCES `project` (`id`) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `alert_rule` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NULL,
  `scope` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `condition_name` VARCHAR(32) NOT NULL,
  `severity` VARCHAR(16) NOT NULL,
  `enabled` BOOLEAN NOT NULL DEFAULT true,
  `lasts_ms` INT UNSIGNED NOT NULL,
  `within_ms` INT UNSIGNED NULL,
  `resolve_after_ms` INT UNSIGNED NOT NULL,
  `repeat_ms` INT UNSIGNED NULL,
  `subject_type` VARCHAR(64) NULL,
  `subject_id` CHAR(36) NULL,
  `checked_in_at` DATETIME(3) NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `alert_rule_name_key` (`scope`, `name`),
  INDEX `alert_rule_list_idx` (`name`, `id`),
  INDEX `alert_rule_project_idx` (`project_id`, `id`),
  INDEX `alert_rule_project_name_idx` (`project_id`, `name`, `id`),
  CONSTRAINT `alert_rule_project_fk` FOREIGN KEY (`project_id`) REFERENCES `project` (`id`) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `alert_rule_channel` (
  `rule_id` CHAR(36) NOT NULL,
  `channel_id` CHAR(36) NOT NULL,
  PRIMARY KEY (`rule_id`, `channel_id`),
  INDEX `alert_rule_channel_channel_idx` (`channel_id`),
  CONSTRAINT `alert_rule_channel_rule_fk` FOREIGN KEY (`rule_id`) REFERENCES `alert_rule` (`id`) ON DELETE CASCADE,
  CONSTRAINT `alert_rule_channel_channel_fk` FOREIGN KEY (`channel_id`) REFERENCES `alert_channel` (`id`) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `alert_signal` (
  `condition_name` VARCHAR(32) NOT NULL,
  `subject_type` VARCHAR(64) NOT NULL,
  `subject_id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NULL,
  `status` VARCHAR(32) NOT NULL,
  `reason` VARCHAR(1024) NULL,
  `subject_name` VARCHAR(255) NULL,
  `cmp_namespace` VARCHAR(63) NULL,
  `cmp_type` VARCHAR(63) NULL,
  `cmp_id` VARCHAR(255) NULL,
  `since_at` DATETIME(3) NOT NULL,
  `since_ms` BIGINT NOT NULL,
  `ends_at` DATETIME(3) NULL,
  PRIMARY KEY (`condition_name`, `subject_type`, `subject_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `alert_watch` (
  `id` TINYINT UNSIGNED NOT NULL,
  `seq` BIGINT UNSIGNED NOT NULL DEFAULT 0,
  `event_id` CHAR(36) NULL,
  `epoch` INT NOT NULL DEFAULT 0,
  `steady_ms` BIGINT NOT NULL DEFAULT 0,
  `at` DATETIME(3) NULL,
  `caught_up_ms` BIGINT NULL,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT INTO `alert_watch` (`id`) VALUES (1);

CREATE TABLE `alert` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NULL,
  `rule_id` CHAR(36) NOT NULL,
  `rule_name` VARCHAR(63) NOT NULL,
  `condition_name` VARCHAR(32) NOT NULL,
  `severity` VARCHAR(16) NOT NULL,
  `subject_type` VARCHAR(64) NOT NULL,
  `subject_id` CHAR(36) NOT NULL,
  `open_key` VARCHAR(138) NULL,
  `state` VARCHAR(16) NOT NULL,
  `status` VARCHAR(32) NOT NULL,
  `reason` VARCHAR(1024) NULL,
  `subject_name` VARCHAR(255) NULL,
  `cmp_namespace` VARCHAR(63) NULL,
  `cmp_type` VARCHAR(63) NULL,
  `cmp_id` VARCHAR(255) NULL,
  `since_at` DATETIME(3) NOT NULL,
  `clear_since_ms` BIGINT NULL,
  `told_ms` BIGINT NOT NULL,
  `cursor_text` VARCHAR(512) NOT NULL,
  `acknowledged_at` DATETIME(3) NULL,
  `acknowledged_kind` VARCHAR(16) NULL,
  `acknowledged_id` CHAR(36) NULL,
  `acknowledged_name` VARCHAR(255) NULL,
  `resolved_at` DATETIME(3) NULL,
  `last_notified_at` DATETIME(3) NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `alert_open_key` (`open_key`),
  INDEX `alert_project_idx` (`project_id`, `id`),
  INDEX `alert_state_idx` (`state`, `id`),
  INDEX `alert_project_state_idx` (`project_id`, `state`, `id`),
  INDEX `alert_resolved_idx` (`resolved_at`),
  CONSTRAINT `alert_project_fk` FOREIGN KEY (`project_id`) REFERENCES `project` (`id`) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `alert_notification` (
  `id` CHAR(36) NOT NULL,
  `channel_id` CHAR(36) NOT NULL,
  `scope` CHAR(36) NOT NULL,
  `kind` VARCHAR(16) NOT NULL,
  `state` VARCHAR(16) NOT NULL,
  `message` MEDIUMTEXT NOT NULL,
  `alert_count` INT UNSIGNED NOT NULL,
  `attempts` INT UNSIGNED NOT NULL DEFAULT 0,
  `last_error` VARCHAR(1024) NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `next_at` DATETIME(3) NULL,
  `finished_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  INDEX `alert_notification_channel_idx` (`channel_id`, `id`),
  INDEX `alert_notification_waiting_idx` (`channel_id`, `state`, `id`),
  INDEX `alert_notification_scope_idx` (`scope`, `created_at`),
  INDEX `alert_notification_created_idx` (`created_at`),
  CONSTRAINT `alert_notification_channel_fk` FOREIGN KEY (`channel_id`) REFERENCES `alert_channel` (`id`) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `alert_notice` (
  `channel_id` CHAR(36) NOT NULL,
  `alert_id` CHAR(36) NOT NULL,
  `due` BOOLEAN NOT NULL DEFAULT true,
  `told` VARCHAR(16) NULL,
  `notification_id` CHAR(36) NULL,
  PRIMARY KEY (`channel_id`, `alert_id`),
  INDEX `alert_notice_due_idx` (`channel_id`, `due`, `alert_id`),
  INDEX `alert_notice_alert_idx` (`alert_id`),
  INDEX `alert_notice_notification_idx` (`notification_id`),
  CONSTRAINT `alert_notice_channel_fk` FOREIGN KEY (`channel_id`) REFERENCES `alert_channel` (`id`) ON DELETE CASCADE,
  CONSTRAINT `alert_notice_alert_fk` FOREIGN KEY (`alert_id`) REFERENCES `alert` (`id`) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
