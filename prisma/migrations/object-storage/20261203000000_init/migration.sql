-- Clusters of the object storage as the control plane knows them: options, rings, accounts, containers and signed documents.
-- prisma/schema/object-storage.prisma says what each table and column is.

CREATE TABLE `object_federation` (
  `id` TINYINT UNSIGNED NOT NULL,
  `next_cluster` INT UNSIGNED NOT NULL DEFAULT 0,
  `next_option` INT UNSIGNED NOT NULL DEFAULT 1,
  `in_use` BOOLEAN NOT NULL DEFAULT false,
  `generation` BIGINT UNSIGNED NOT NULL DEFAULT 0,
  `history` CHAR(36) NULL,
  `history_start` BIGINT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_cluster` (
  `id` CHAR(36) NOT NULL,
  `number` INT UNSIGNED NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `zone` VARCHAR(63) NOT NULL,
  `weight` INT UNSIGNED NOT NULL,
  `site` VARCHAR(255) NOT NULL,
  `state` VARCHAR(16) NOT NULL,
  `peer_urls` TEXT NOT NULL,
  `controller_urls` TEXT NOT NULL,
  `s3_urls` TEXT NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  `public_key` TEXT NULL,
  `present` BOOLEAN NOT NULL DEFAULT false,
  `services` MEDIUMTEXT NULL,
  `lost` BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_cluster_number_key` (`number`),
  UNIQUE INDEX `object_cluster_live_name_key` (`live_name`),
  INDEX `object_cluster_time_idx` (`deleted_at`, `number`),
  INDEX `object_cluster_name_idx` (`live_name`, `number`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_option` (
  `id` CHAR(36) NOT NULL,
  `number` INT UNSIGNED NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `replicas` TINYINT UNSIGNED NOT NULL,
  `cluster_ids` TEXT NOT NULL,
  `nearest_reads` BOOLEAN NOT NULL,
  `is_default` BOOLEAN NOT NULL,
  `ending_epoch` INT UNSIGNED NULL,
  `end_message` VARCHAR(1000) NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_option_number_key` (`number`),
  UNIQUE INDEX `object_option_live_name_key` (`live_name`),
  INDEX `object_option_time_idx` (`deleted_at`, `number`),
  INDEX `object_option_name_idx` (`live_name`, `number`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_ring` (
  `id` CHAR(36) NOT NULL,
  `number` INT UNSIGNED NOT NULL,
  `epoch` INT UNSIGNED NOT NULL,
  `replicas` TINYINT UNSIGNED NOT NULL,
  `members` MEDIUMTEXT NOT NULL,
  `clusters` BLOB NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_ring_number_key` (`number`, `epoch`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_document` (
  `name` VARCHAR(80) NOT NULL,
  `generation` BIGINT UNSIGNED NOT NULL,
  `body` MEDIUMTEXT NOT NULL,
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`name`),
  UNIQUE INDEX `object_document_generation_key` (`generation`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_controller` (
  `id` CHAR(36) NOT NULL,
  `cluster_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `epoch` INT UNSIGNED NOT NULL,
  `facts` TEXT NOT NULL,
  `state` MEDIUMTEXT NULL,
  `clock_ahead_ms` DOUBLE NULL,
  `heard_at` DATETIME(3) NOT NULL,
  `linked_to` VARCHAR(64) NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  INDEX `object_controller_cluster_idx` (`cluster_id`, `heard_at`),
  INDEX `object_controller_heard_idx` (`heard_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_account` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_account_project_key` (`project_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_access_key` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `account_id` CHAR(36) NOT NULL,
  `access_key_id` VARCHAR(32) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `can_write` BOOLEAN NOT NULL,
  `for_urls` BOOLEAN NOT NULL DEFAULT false,
  `sealed_secret` VARBINARY(1024) NULL,
  `key_id` VARCHAR(32) NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `revoked_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_access_key_key` (`access_key_id`),
  INDEX `object_access_key_project_idx` (`project_id`, `id`),
  INDEX `object_access_key_name_idx` (`name`, `id`),
  INDEX `object_access_key_project_name_idx` (`project_id`, `name`, `id`),
  INDEX `object_access_key_revoked_idx` (`revoked_at`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_container` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `account_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `option_name` VARCHAR(63) NOT NULL,
  `live_option_id` CHAR(36) NULL,
  `cmp_namespace` VARCHAR(63) NULL,
  `cmp_type` VARCHAR(63) NULL,
  `cmp_id` VARCHAR(255) NULL,
  `created_at` DATETIME(3) NOT NULL,
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_container_live_name_key` (`account_id`, `live_name`),
  INDEX `object_container_cmp_idx` (`cmp_id`, `cmp_type`, `cmp_namespace`, `id`),
  INDEX `object_container_project_cmp_idx` (`project_id`, `cmp_id`, `cmp_type`, `cmp_namespace`, `id`),
  INDEX `object_container_option_idx` (`live_option_id`, `id`),
  INDEX `object_container_deleted_idx` (`deleted_at`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_question` (
  `id` CHAR(36) NOT NULL,
  `controller_id` CHAR(36) NOT NULL,
  `body` TEXT NOT NULL,
  `taken` BOOLEAN NOT NULL DEFAULT false,
  `answer` MEDIUMTEXT NULL,
  `failed` VARCHAR(1000) NULL,
  `deadline_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `object_question_controller_idx` (`controller_id`, `taken`),
  INDEX `object_question_deadline_idx` (`deadline_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_ring_change` (
  `id` CHAR(36) NOT NULL,
  `number` INT UNSIGNED NOT NULL,
  `live_number` INT UNSIGNED NULL,
  `state` VARCHAR(16) NOT NULL,
  `recovers` INT UNSIGNED NULL,
  `steps_planned` INT UNSIGNED NOT NULL,
  `steps_done` INT UNSIGNED NOT NULL DEFAULT 0,
  `moved_share` DOUBLE NOT NULL,
  `step_epoch` INT UNSIGNED NULL,
  `step_replicas` TINYINT UNSIGNED NULL,
  `step_members` MEDIUMTEXT NULL,
  `step_clusters` BLOB NULL,
  `progress` TEXT NULL,
  `progress_at` DATETIME(3) NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `ended_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_ring_change_live_key` (`live_number`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT INTO `object_federation` (`id`) VALUES (1);
