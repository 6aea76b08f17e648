-- What was seen of clusters: their controllers, and the keys for which secrets are sealed.

ALTER TABLE `object_cluster`
  ADD COLUMN `public_key` TEXT NULL,
  ADD COLUMN `present` BOOLEAN NOT NULL DEFAULT false;

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
