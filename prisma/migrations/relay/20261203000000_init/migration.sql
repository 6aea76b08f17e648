-- Backends and their credentials, relayed calls, and mappings of CMP objects.
-- prisma/schema/relay.prisma says what each table and column is.

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
  `separate_objects` BOOLEAN NOT NULL DEFAULT false,
  `host_key_sha256` VARCHAR(64) NULL,
  `certificate_sha256` VARCHAR(64) NULL,
  `ca_certificates` TEXT NULL,
  `options` TEXT NOT NULL DEFAULT '{}',
  `presented_kind` VARCHAR(16) NULL,
  `presented_sha256` VARCHAR(64) NULL,
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
  `circuit_lasting` BOOLEAN NOT NULL DEFAULT false,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `replay_lifted_epoch` INT UNSIGNED NOT NULL DEFAULT 0,
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `backend_ordinal_key` (`project_id`, `family`, `ordinal`),
  UNIQUE INDEX `backend_live_name_key` (`project_id`, `live_name`),
  INDEX `backend_project_list_idx` (`project_id`, `live_name`, `id`),
  INDEX `backend_list_idx` (`live_name`, `id`),
  INDEX `backend_project_time_idx` (`project_id`, `deleted_at`, `id`),
  INDEX `backend_time_idx` (`deleted_at`, `id`)
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
  `form` TINYINT UNSIGNED NOT NULL DEFAULT 1,
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
  `claim` CHAR(64) NULL,
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
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `sent_at` DATETIME(3) NULL,
  `deadline_at` DATETIME(3) NULL,
  `quiet_until` DATETIME(3) NULL,
  `quiet_over` BOOLEAN NOT NULL DEFAULT false,
  `finished_at` DATETIME(3) NULL,
  `settled_by` VARCHAR(64) NULL,
  `settler_kind` VARCHAR(16) NULL,
  `settler_id` CHAR(36) NULL,
  `settler_name` VARCHAR(255) NULL,
  `requested_by` VARCHAR(255) NOT NULL,
  `request_id` VARCHAR(64) NULL,
  `sent_to` VARCHAR(300) NULL,
  `sent_options` CHAR(16) NULL,
  `requester_id` CHAR(36) NULL,
  `actor_kind` VARCHAR(16) NULL,
  `actor_id` CHAR(36) NULL,
  `action` VARCHAR(64) NULL,
  `secrets` TEXT NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `operation_claim_key` (`backend_id`, `claim`),
  INDEX `operation_state_deadline_idx` (`state`, `deadline_at`),
  INDEX `operation_backend_state_idx` (`backend_id`, `state`, `created_at`, `id`),
  INDEX `operation_project_state_idx` (`project_id`, `state`, `created_at`, `id`),
  INDEX `operation_cmp_idx` (`cmp_namespace`, `cmp_type`, `cmp_id`, `project_id`, `created_at`, `id`),
  INDEX `operation_state_idx` (`state`, `created_at`, `id`)
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
  `desired` LONGTEXT NULL,
  `verified_at` DATETIME(3) NULL,
  `verify_result` VARCHAR(16) NULL,
  `verify_diff` LONGTEXT NULL,
  `operation_id` CHAR(36) NULL,
  `last_operation_id` CHAR(36) NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `mapping_owner_key` (`backend_id`, `object_hash`, `owner_slot`),
  INDEX `mapping_project_idx` (`project_id`, `id`),
  INDEX `mapping_cmp_idx` (`namespace`, `cmp_type`, `cmp_id`, `id`),
  INDEX `mapping_project_cmp_idx` (`project_id`, `namespace`, `cmp_type`, `cmp_id`, `id`),
  INDEX `mapping_backend_state_idx` (`backend_id`, `state`),
  INDEX `mapping_operation_idx` (`operation_id`),
  INDEX `mapping_last_operation_idx` (`last_operation_id`),
  INDEX `mapping_updated_idx` (`project_id`, `updated_at`),
  INDEX `mapping_uuid_idx` (`backend_id`, `uuid`),
  INDEX `mapping_verify_idx` (`project_id`, `verify_result`, `id`),
  INDEX `mapping_object_idx` (`object_hash`, `id`),
  INDEX `mapping_project_object_idx` (`project_id`, `object_hash`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `backend_identity` (
  `slot` CHAR(64) NOT NULL,
  `backend_id` CHAR(36) NOT NULL,
  `kind` VARCHAR(16) NOT NULL,
  PRIMARY KEY (`slot`),
  INDEX `backend_identity_backend_idx` (`backend_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Rows that are deleted with their parent.
ALTER TABLE `backend_label` ADD CONSTRAINT `backend_label_backend_fk` FOREIGN KEY (`backend_id`) REFERENCES `backend` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `backend_credential` ADD CONSTRAINT `backend_credential_backend_fk` FOREIGN KEY (`backend_id`) REFERENCES `backend` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE `backend_identity` ADD CONSTRAINT `backend_identity_backend_fk` FOREIGN KEY (`backend_id`) REFERENCES `backend` (`id`) ON DELETE CASCADE;
