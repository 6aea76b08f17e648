-- Replaces: 20261120080000_foundation 8cd5fca291b66a90301e83932383062f256b397670f8e1800e9b32b94f746899
-- The first tables of the relay. The Prisma schema describes the same.

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
ALTER TABLE `backend_label` ADD CONSTRAINT `backend_label_backend_fk` FOREIGN KEY (`backend_id`) REFERENCES `backend` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `backend_credential` ADD CONSTRAINT `backend_credential_backend_fk` FOREIGN KEY (`backend_id`) REFERENCES `backend` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
