-- What every process has: status events, owed work, leases, idempotency, the audit trail, commits, timelines and keys.
-- prisma/schema/platform.prisma says what each table and column is.

CREATE TABLE `status_change` (
  `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  `seq` BIGINT UNSIGNED NULL,
  `event_id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NULL,
  `kind` VARCHAR(64) NOT NULL,
  `subject_type` VARCHAR(64) NOT NULL,
  `subject_id` CHAR(36) NOT NULL,
  `subject_version` INT NOT NULL,
  `from_status` VARCHAR(32) NULL,
  `to_status` VARCHAR(32) NOT NULL,
  `reason` VARCHAR(1024) NULL,
  `request_id` VARCHAR(64) NULL,
  `cmp_namespace` VARCHAR(63) NULL,
  `cmp_type` VARCHAR(63) NULL,
  `cmp_id` VARCHAR(255) NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `status_change_seq_key` (`seq`),
  INDEX `status_change_project_seq_idx` (`project_id`, `seq`, `kind`),
  INDEX `status_change_subject_seq_idx` (`subject_type`, `subject_id`, `seq`),
  INDEX `status_change_cmp_seq_idx` (`cmp_namespace`, `cmp_type`, `cmp_id`, `project_id`, `seq`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `status_sequencer` (
  `id` TINYINT UNSIGNED NOT NULL,
  `next_seq` BIGINT UNSIGNED NOT NULL,
  `oldest_seq` BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `owed_work` (
  `kind` VARCHAR(64) NOT NULL,
  `key` VARCHAR(128) NOT NULL,
  `wanted` BIGINT UNSIGNED NOT NULL DEFAULT 1,
  `done` BIGINT UNSIGNED NOT NULL DEFAULT 0,
  `due_at` DATETIME(3) NULL,
  `attempts` INT NOT NULL DEFAULT 0,
  `lease_token` CHAR(36) NULL,
  `lease_until` DATETIME(3) NULL,
  `last_error` VARCHAR(1024) NULL,
  `next_due_at` DATETIME(3) NULL,
  `takeovers` INT NOT NULL DEFAULT 0,
  PRIMARY KEY (`kind`, `key`),
  INDEX `owed_work_due_idx` (`due_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lease` (
  `name` VARCHAR(191) NOT NULL,
  `token` CHAR(36) NOT NULL,
  `owner` VARCHAR(128) NOT NULL,
  `epoch` BIGINT UNSIGNED NOT NULL DEFAULT 1,
  `beat` BIGINT UNSIGNED NOT NULL DEFAULT 0,
  `expires_at` DATETIME(3) NOT NULL,
  `host` VARCHAR(63) NULL,
  PRIMARY KEY (`name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `idempotency_key` (
  `scope` VARCHAR(64) NOT NULL,
  `operation` VARCHAR(64) NOT NULL,
  `key_hash` CHAR(64) NOT NULL,
  `request_hash` CHAR(64) NOT NULL,
  `result` LONGTEXT NULL,
  `call_id` CHAR(36) NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `expires_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`scope`, `operation`, `key_hash`),
  INDEX `idempotency_key_expires_idx` (`expires_at`),
  INDEX `idempotency_key_call_idx` (`call_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `audit_entry` (
  `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  `position` BIGINT UNSIGNED NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `project_id` CHAR(36) NULL,
  `actor_kind` VARCHAR(16) NOT NULL,
  `actor_id` CHAR(36) NULL,
  `actor_name` VARCHAR(255) NOT NULL,
  `action` VARCHAR(64) NOT NULL,
  `subject_type` VARCHAR(64) NULL,
  `subject_id` CHAR(36) NULL,
  `outcome` VARCHAR(16) NOT NULL,
  `code` VARCHAR(64) NULL,
  `request_id` VARCHAR(64) NULL,
  `caller_request_id` VARCHAR(64) NULL,
  `details` LONGTEXT NOT NULL,
  `previous_hash` CHAR(64) NULL,
  `hash` CHAR(64) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `audit_entry_position_key` (`position`),
  INDEX `audit_entry_project_idx` (`project_id`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `audit_chain` (
  `id` TINYINT UNSIGNED NOT NULL,
  `next_position` BIGINT UNSIGNED NOT NULL,
  `head_hash` CHAR(64) NOT NULL,
  `first_position` BIGINT UNSIGNED NOT NULL,
  `base_hash` CHAR(64) NOT NULL,
  `head_signature` VARCHAR(160) NULL,
  `base_signature` VARCHAR(160) NULL,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `commit_record` (
  `id` CHAR(36) NOT NULL,
  `timeline` INT UNSIGNED NOT NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  INDEX `commit_record_at_idx` (`at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `db_timeline` (
  `epoch` INT UNSIGNED NOT NULL,
  `lossy` BOOLEAN NOT NULL DEFAULT false,
  `gtid` VARCHAR(255) NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `cause` VARCHAR(16) NOT NULL DEFAULT 'PROMOTION',
  `set_back_to` DATETIME(3) NULL,
  `lost_until` DATETIME(3) NULL,
  `lifted_at` DATETIME(3) NULL,
  `history` CHAR(36) NOT NULL DEFAULT (UUID()),
  PRIMARY KEY (`epoch`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `process_keys` (
  `owner` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `keys` LONGTEXT NOT NULL,
  `started_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`owner`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `active_key` (
  `file` VARCHAR(32) NOT NULL,
  `key_id` VARCHAR(32) NOT NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`file`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `project_name` (
  `project_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NULL,
  PRIMARY KEY (`project_id`),
  UNIQUE INDEX `project_name_name_key` (`name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `db_lease` (
  `id` TINYINT UNSIGNED NOT NULL,
  `ends_at` DATETIME(6) NOT NULL,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `trusted_clock` (
  `id` TINYINT UNSIGNED NOT NULL,
  `trusted_at` DATETIME(3) NOT NULL,
  `accepted` INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `host_record` (
  `machine_id` CHAR(36) NOT NULL,
  `site` VARCHAR(63) NULL,
  `provider` VARCHAR(16) NOT NULL,
  `public_range` VARCHAR(49) NOT NULL,
  `management_range` VARCHAR(49) NULL,
  `max_nodes` INT UNSIGNED NOT NULL,
  `health_port` SMALLINT UNSIGNED NOT NULL,
  `released` BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (`machine_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `checker_record` (
  `machine_id` CHAR(36) NOT NULL,
  `vantage_point` VARCHAR(63) NOT NULL,
  PRIMARY KEY (`machine_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `subgraph_record` (
  `machine_id` CHAR(36) NOT NULL,
  `name` VARCHAR(32) NOT NULL,
  PRIMARY KEY (`machine_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `name_server_record` (
  `machine_id` CHAR(36) NOT NULL,
  `addresses` TEXT NOT NULL,
  PRIMARY KEY (`machine_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT INTO `status_sequencer` (`id`, `next_seq`, `oldest_seq`) VALUES (1, 1, 1);
INSERT INTO `audit_chain` (`id`, `next_position`, `head_hash`, `first_position`, `base_hash`) VALUES (1, 1, REPEAT('0', 64), 1, REPEAT('0', 64));
-- An INSERT is replicated as rows, so every server has the same UUID as its history.
INSERT INTO `db_timeline` (`epoch`, `lossy`) VALUES (1, 0);
INSERT INTO `trusted_clock` (`id`, `trusted_at`) VALUES (1, NOW(3));
