-- The first tables of platform, system and relay. The Prisma schema describes the same.

-- platform
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
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `status_change_seq_key` (`seq`),
  INDEX `status_change_project_seq_idx` (`project_id`, `seq`),
  INDEX `status_change_subject_seq_idx` (`subject_type`, `subject_id`, `seq`)
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
  PRIMARY KEY (`epoch`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- system
CREATE TABLE `user` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `password_hash` VARCHAR(255) NULL,
  `admin` BOOLEAN NOT NULL DEFAULT false,
  `disabled` BOOLEAN NOT NULL DEFAULT false,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `user_name_key` (`name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `project` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `description` VARCHAR(1024) NOT NULL DEFAULT '',
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `project_name_key` (`name`)
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
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `expires_at` DATETIME(3) NULL,
  `revoked_at` DATETIME(3) NULL,
  `last_used_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `api_token_secret_key` (`secret_hash`),
  INDEX `api_token_project_idx` (`project_id`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `session` (
  `id` CHAR(36) NOT NULL,
  `user_id` CHAR(36) NOT NULL,
  `refresh_hash` CHAR(64) NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `expires_at` DATETIME(3) NOT NULL,
  `ended_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `session_refresh_key` (`refresh_hash`),
  INDEX `session_user_idx` (`user_id`),
  INDEX `session_expires_idx` (`expires_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- relay
CREATE TABLE `backend` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `family` VARCHAR(32) NOT NULL,
  `driver` VARCHAR(63) NOT NULL,
  `ordinal` INT UNSIGNED NOT NULL,
  `site` VARCHAR(63) NULL,
  `host` VARCHAR(255) NOT NULL,
  `port` SMALLINT UNSIGNED NOT NULL,
  `concurrency` SMALLINT UNSIGNED NOT NULL,
  `queue_limit` SMALLINT UNSIGNED NOT NULL,
  `deadline_ms` INT UNSIGNED NOT NULL,
  `crypto_profile` VARCHAR(16) NOT NULL,
  `allow_init` BOOLEAN NOT NULL DEFAULT false,
  `host_key_sha256` VARCHAR(64) NULL,
  `provisioning_status` VARCHAR(16) NOT NULL,
  `operating_status` VARCHAR(16) NOT NULL,
  `checked_at` DATETIME(3) NULL,
  `latency_ms` INT UNSIGNED NULL,
  `software_version` VARCHAR(255) NULL,
  `serial` VARCHAR(255) NULL,
  `health_message` VARCHAR(1024) NULL,
  `circuit_state` VARCHAR(16) NOT NULL DEFAULT 'CLOSED',
  `circuit_since` DATETIME(3) NULL,
  `circuit_reason` VARCHAR(1024) NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `backend_live_name_key` (`project_id`, `live_name`),
  UNIQUE INDEX `backend_ordinal_key` (`project_id`, `family`, `ordinal`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `backend_ordinal` (
  `project_id` CHAR(36) NOT NULL,
  `family` VARCHAR(32) NOT NULL,
  `next` INT UNSIGNED NOT NULL,
  PRIMARY KEY (`project_id`, `family`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `backend_label` (
  `backend_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `value` VARCHAR(255) NOT NULL,
  PRIMARY KEY (`backend_id`, `name`),
  INDEX `backend_label_value_idx` (`name`, `value`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `backend_credential` (
  `backend_id` CHAR(36) NOT NULL,
  `field` VARCHAR(32) NOT NULL,
  `key_id` VARCHAR(32) NOT NULL,
  `sealed` VARBINARY(16384) NOT NULL,
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`backend_id`, `field`),
  INDEX `backend_credential_key_idx` (`key_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `operation` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `backend_id` CHAR(36) NOT NULL,
  `name` VARCHAR(64) NOT NULL,
  `effect` VARCHAR(16) NOT NULL,
  `state` VARCHAR(16) NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `owner` CHAR(36) NULL,
  `cmp_namespace` VARCHAR(63) NULL,
  `cmp_type` VARCHAR(63) NULL,
  `cmp_id` VARCHAR(255) NULL,
  `cmp_role` VARCHAR(63) NOT NULL DEFAULT '',
  `resource` VARCHAR(63) NOT NULL,
  `scope` VARCHAR(255) NOT NULL,
  `object_key` VARCHAR(512) NOT NULL,
  `object_hash` CHAR(64) NOT NULL,
  `shared` BOOLEAN NOT NULL DEFAULT false,
  `forced` BOOLEAN NOT NULL DEFAULT false,
  `arguments` LONGTEXT NOT NULL,
  `wire_call` LONGTEXT NULL,
  `result` LONGTEXT NULL,
  `error_code` VARCHAR(64) NULL,
  `error_message` VARCHAR(4096) NULL,
  `call_deadline_ms` INT UNSIGNED NOT NULL,
  `timeline` INT UNSIGNED NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `sent_at` DATETIME(3) NULL,
  `deadline_at` DATETIME(3) NULL,
  `quiet_until` DATETIME(3) NULL,
  `finished_at` DATETIME(3) NULL,
  `settled_by` VARCHAR(64) NULL,
  `requested_by` VARCHAR(255) NOT NULL,
  `request_id` VARCHAR(64) NULL,
  PRIMARY KEY (`id`),
  INDEX `operation_backend_state_idx` (`backend_id`, `state`, `id`),
  INDEX `operation_project_idx` (`project_id`, `id`),
  INDEX `operation_state_deadline_idx` (`state`, `deadline_at`),
  INDEX `operation_cmp_idx` (`cmp_namespace`, `cmp_type`, `cmp_id`, `id`),
  INDEX `operation_finished_idx` (`finished_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_claim` (
  `backend_id` CHAR(36) NOT NULL,
  `object_hash` CHAR(64) NOT NULL,
  `operation_id` CHAR(36) NOT NULL,
  PRIMARY KEY (`backend_id`, `object_hash`),
  INDEX `object_claim_operation_idx` (`operation_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `operation_evidence` (
  `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  `operation_id` CHAR(36) NOT NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `source` VARCHAR(32) NOT NULL,
  `finding` VARCHAR(32) NOT NULL,
  `note` VARCHAR(1024) NULL,
  PRIMARY KEY (`id`),
  INDEX `operation_evidence_operation_idx` (`operation_id`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `mapping` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `namespace` VARCHAR(63) NOT NULL,
  `cmp_type` VARCHAR(63) NOT NULL,
  `cmp_id` VARCHAR(255) NOT NULL,
  `role` VARCHAR(63) NOT NULL DEFAULT '',
  `backend_id` CHAR(36) NOT NULL,
  `resource` VARCHAR(63) NOT NULL,
  `scope` VARCHAR(255) NOT NULL,
  `object_key` VARCHAR(512) NOT NULL,
  `object_hash` CHAR(64) NOT NULL,
  `owner_slot` VARCHAR(36) NULL,
  `uuid` VARCHAR(255) NULL,
  `shared` BOOLEAN NOT NULL DEFAULT false,
  `state` VARCHAR(16) NOT NULL,
  `operation_id` CHAR(36) NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `mapping_owner_key` (`backend_id`, `object_hash`, `owner_slot`),
  INDEX `mapping_project_idx` (`project_id`, `id`),
  INDEX `mapping_cmp_idx` (`namespace`, `cmp_type`, `cmp_id`, `id`),
  INDEX `mapping_backend_state_idx` (`backend_id`, `state`),
  INDEX `mapping_operation_idx` (`operation_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- what goes when its parent goes
ALTER TABLE `membership` ADD CONSTRAINT `membership_project_fk` FOREIGN KEY (`project_id`) REFERENCES `project` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `membership` ADD CONSTRAINT `membership_user_fk` FOREIGN KEY (`user_id`) REFERENCES `user` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `api_token` ADD CONSTRAINT `api_token_project_fk` FOREIGN KEY (`project_id`) REFERENCES `project` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `session` ADD CONSTRAINT `session_user_fk` FOREIGN KEY (`user_id`) REFERENCES `user` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `backend_label` ADD CONSTRAINT `backend_label_backend_fk` FOREIGN KEY (`backend_id`) REFERENCES `backend` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `backend_credential` ADD CONSTRAINT `backend_credential_backend_fk` FOREIGN KEY (`backend_id`) REFERENCES `backend` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;

-- the one row of each counter, and the first timeline
INSERT INTO `status_sequencer` (`id`, `next_seq`, `oldest_seq`) VALUES (1, 1, 1);
INSERT INTO `audit_chain` (`id`, `next_position`, `head_hash`, `first_position`, `base_hash`) VALUES (1, 1, REPEAT('0', 64), 1, REPEAT('0', 64));
INSERT INTO `db_timeline` (`epoch`, `lossy`) VALUES (1, 0);
