-- Containers that were made in the graph, and what clusters are asked.

CREATE TABLE `object_container` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `account_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `option_name` VARCHAR(63) NOT NULL,
  `cmp_namespace` VARCHAR(63) NULL,
  `cmp_type` VARCHAR(63) NULL,
  `cmp_id` VARCHAR(255) NULL,
  `created_at` DATETIME(3) NOT NULL,
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_container_live_name_key` (`account_id`, `live_name`),
  INDEX `object_container_cmp_idx` (`cmp_id`, `cmp_type`, `cmp_namespace`, `id`),
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
