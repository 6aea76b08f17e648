-- GSLB: what is wanted (flavors, vantage points, monitors, pools, members, names), what was measured (checkers, votes, verdicts, name
-- servers), what is answered (zones, plans), and the history of both.
-- prisma/schema/gslb.prisma says what each table and column is.

CREATE TABLE `gslb_flavor` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `spec` MEDIUMTEXT NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `gslb_flavor_live_name_key` (`live_name`),
  INDEX `gslb_flavor_list_idx` (`live_name`, `id`),
  INDEX `gslb_flavor_time_idx` (`deleted_at`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_vantage_point` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `region` VARCHAR(63) NOT NULL,
  `spec` MEDIUMTEXT NOT NULL,
  `epoch` INT UNSIGNED NOT NULL DEFAULT 1,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `gslb_vantage_point_live_name_key` (`live_name`),
  INDEX `gslb_vantage_point_list_idx` (`live_name`, `id`),
  INDEX `gslb_vantage_point_time_idx` (`deleted_at`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_checker` (
  `id` CHAR(36) NOT NULL,
  `vantage_point_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `incarnation` INT UNSIGNED NOT NULL DEFAULT 0,
  `epoch` INT UNSIGNED NOT NULL DEFAULT 0,
  `batch` INT UNSIGNED NOT NULL DEFAULT 0,
  `said_at` DATETIME(3) NULL,
  `abstains` BOOLEAN NOT NULL DEFAULT false,
  `heard_at` DATETIME(3) NULL,
  `linked_to` VARCHAR(64) NULL,
  `facts` MEDIUMTEXT NOT NULL DEFAULT '{}',
  `machine_load` TEXT NOT NULL DEFAULT '{}',
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `plugins` TEXT NULL,
  PRIMARY KEY (`id`),
  INDEX `gslb_checker_vantage_point_idx` (`vantage_point_id`, `heard_at`),
  INDEX `gslb_checker_list_idx` (`name`, `id`),
  INDEX `gslb_checker_heard_idx` (`heard_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_project` (
  `project_id` CHAR(36) NOT NULL,
  PRIMARY KEY (`project_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_monitor` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `type` VARCHAR(32) NOT NULL,
  `spec` MEDIUMTEXT NOT NULL,
  `secret` MEDIUMTEXT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `gslb_monitor_live_name_key` (`project_id`, `live_name`),
  INDEX `gslb_monitor_project_list_idx` (`project_id`, `live_name`, `id`),
  INDEX `gslb_monitor_list_idx` (`live_name`, `id`),
  INDEX `gslb_monitor_project_time_idx` (`project_id`, `deleted_at`, `id`),
  INDEX `gslb_monitor_time_idx` (`deleted_at`, `id`),
  INDEX `gslb_monitor_type_idx` (`type`, `deleted_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_pool` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `spec` MEDIUMTEXT NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `gslb_pool_live_name_key` (`project_id`, `live_name`),
  INDEX `gslb_pool_project_list_idx` (`project_id`, `live_name`, `id`),
  INDEX `gslb_pool_list_idx` (`live_name`, `id`),
  INDEX `gslb_pool_project_time_idx` (`project_id`, `deleted_at`, `id`),
  INDEX `gslb_pool_time_idx` (`deleted_at`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_pool_member` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `pool_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `spec` MEDIUMTEXT NOT NULL,
  `load_balancer_id` CHAR(36) NULL,
  `unique_key` VARCHAR(320) NULL,
  `admin_state` VARCHAR(16) NOT NULL DEFAULT 'AUTO',
  `admin_until` DATETIME(3) NULL,
  `admin_reason` VARCHAR(255) NULL,
  `verdict` VARCHAR(4) NULL,
  `verdict_at` DATETIME(3) NULL,
  `serving` BOOLEAN NOT NULL DEFAULT false,
  `was_down` BOOLEAN NOT NULL DEFAULT false,
  `released` BOOLEAN NOT NULL DEFAULT false,
  `region_states` MEDIUMTEXT NOT NULL DEFAULT '{}',
  `undecided_at` DATETIME(3) NULL,
  `operating_status` VARCHAR(16) NULL,
  `status_message` VARCHAR(1024) NULL,
  `last_up_at` DATETIME(3) NULL,
  `latency` TEXT NOT NULL DEFAULT '{}',
  `judge_version` INT UNSIGNED NOT NULL DEFAULT 0,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `gslb_pool_member_unique_key` (`pool_id`, `unique_key`),
  INDEX `gslb_pool_member_pool_idx` (`pool_id`, `deleted_at`, `id`),
  INDEX `gslb_pool_member_project_idx` (`project_id`, `deleted_at`, `id`),
  INDEX `gslb_pool_member_deleted_idx` (`deleted_at`),
  INDEX `gslb_pool_member_balancer_idx` (`load_balancer_id`, `deleted_at`, `id`),
  INDEX `gslb_pool_member_project_balancer_idx` (`project_id`, `load_balancer_id`, `deleted_at`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_monitor_use` (
  `id` CHAR(36) NOT NULL,
  `monitor_id` CHAR(36) NOT NULL,
  `pool_id` CHAR(36) NULL,
  `member_id` CHAR(36) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `gslb_monitor_use_pool_key` (`monitor_id`, `pool_id`),
  UNIQUE INDEX `gslb_monitor_use_member_key` (`monitor_id`, `member_id`),
  INDEX `gslb_monitor_use_pool_idx` (`pool_id`),
  INDEX `gslb_monitor_use_member_idx` (`member_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `cmp_namespace` VARCHAR(63) NULL,
  `cmp_type` VARCHAR(63) NULL,
  `cmp_id` VARCHAR(255) NULL,
  `fqdn` VARCHAR(253) NOT NULL,
  `live_fqdn` VARCHAR(253) NULL,
  `zone` VARCHAR(253) NOT NULL,
  `flavor_id` CHAR(36) NOT NULL,
  `appliance_id` VARCHAR(255) NULL,
  `spec` MEDIUMTEXT NOT NULL,
  `action` VARCHAR(16) NOT NULL,
  `provisioning_status` VARCHAR(16) NOT NULL,
  `provisioning_reason` VARCHAR(1024) NULL,
  `pending_since` DATETIME(3) NULL,
  `operating_status` VARCHAR(16) NULL,
  `status_message` VARCHAR(1024) NULL,
  `frozen_at` DATETIME(3) NULL,
  `frozen_until` DATETIME(3) NULL,
  `frozen_reason` VARCHAR(255) NULL,
  `plan` MEDIUMTEXT NULL,
  `generation` INT UNSIGNED NOT NULL DEFAULT 0,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  `plan_bytes` INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `gslb_live_fqdn_key` (`live_fqdn`),
  INDEX `gslb_project_list_idx` (`project_id`, `live_fqdn`, `id`),
  INDEX `gslb_list_idx` (`live_fqdn`, `id`),
  INDEX `gslb_project_time_idx` (`project_id`, `deleted_at`, `id`),
  INDEX `gslb_time_idx` (`deleted_at`, `id`),
  INDEX `gslb_project_status_idx` (`project_id`, `deleted_at`, `operating_status`, `id`, `live_fqdn`),
  INDEX `gslb_status_idx` (`deleted_at`, `operating_status`, `id`, `live_fqdn`),
  INDEX `gslb_cmp_idx` (`cmp_namespace`, `cmp_type`, `cmp_id`, `deleted_at`, `id`),
  INDEX `gslb_project_cmp_idx` (`project_id`, `cmp_namespace`, `cmp_type`, `cmp_id`, `deleted_at`, `id`),
  INDEX `gslb_zone_idx` (`zone`, `live_fqdn`),
  INDEX `gslb_zone_time_idx` (`zone`, `deleted_at`, `id`),
  INDEX `gslb_flavor_idx` (`flavor_id`),
  INDEX `gslb_pending_idx` (`provisioning_status`, `pending_since`),
  INDEX `gslb_fqdn_idx` (`fqdn`),
  INDEX `gslb_zone_bytes_idx` (`zone`, `project_id`, `plan_bytes`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_pool_use` (
  `gslb_id` CHAR(36) NOT NULL,
  `pool_id` CHAR(36) NOT NULL,
  `position` SMALLINT UNSIGNED NOT NULL,
  `fallback` BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (`gslb_id`, `pool_id`),
  INDEX `gslb_pool_use_pool_idx` (`pool_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_vote` (
  `member_id` CHAR(36) NOT NULL,
  `monitor_id` CHAR(36) NOT NULL,
  `vantage_point_id` CHAR(36) NOT NULL,
  `checker_id` CHAR(36) NOT NULL,
  `verdict` VARCHAR(4) NULL,
  `incarnation` INT UNSIGNED NOT NULL,
  `epoch` INT UNSIGNED NOT NULL,
  `since_at` DATETIME(3) NULL,
  `noted_at` DATETIME(3) NOT NULL,
  `latency_ms` INT UNSIGNED NULL,
  `message` VARCHAR(255) NULL,
  PRIMARY KEY (`member_id`, `monitor_id`, `vantage_point_id`),
  INDEX `gslb_vote_monitor_idx` (`monitor_id`),
  INDEX `gslb_vote_checker_idx` (`checker_id`),
  INDEX `gslb_vote_vantage_point_idx` (`vantage_point_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_verdict` (
  `member_id` CHAR(36) NOT NULL,
  `monitor_id` CHAR(36) NOT NULL,
  `region` VARCHAR(63) NOT NULL DEFAULT '',
  `verdict` VARCHAR(4) NULL,
  `verdict_at` DATETIME(3) NULL,
  `undecided_at` DATETIME(3) NULL,
  PRIMARY KEY (`member_id`, `monitor_id`, `region`),
  INDEX `gslb_verdict_monitor_idx` (`monitor_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_flip` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `pool_id` CHAR(36) NOT NULL,
  `member_id` CHAR(36) NOT NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `region` VARCHAR(63) NULL,
  `verdict_before` VARCHAR(4) NULL,
  `verdict_after` VARCHAR(4) NULL,
  `reason` VARCHAR(1024) NOT NULL,
  `late` BOOLEAN NOT NULL DEFAULT false,
  `ballots` MEDIUMTEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (`id`),
  INDEX `gslb_flip_project_idx` (`project_id`, `id`),
  INDEX `gslb_flip_pool_idx` (`pool_id`, `id`),
  INDEX `gslb_flip_member_idx` (`member_id`, `id`),
  INDEX `gslb_flip_age_idx` (`at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_plan` (
  `gslb_id` CHAR(36) NOT NULL,
  `generation` INT UNSIGNED NOT NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `plan` MEDIUMTEXT NOT NULL,
  `flip_id` CHAR(36) NULL,
  PRIMARY KEY (`gslb_id`, `generation`),
  INDEX `gslb_plan_at_idx` (`gslb_id`, `at`),
  INDEX `gslb_plan_age_idx` (`at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_zone` (
  `name` VARCHAR(253) NOT NULL,
  `id` CHAR(36) NOT NULL,
  `spec` MEDIUMTEXT NOT NULL DEFAULT '{}',
  `generation` INT UNSIGNED NOT NULL DEFAULT 0,
  `head` MEDIUMTEXT NULL,
  `keys_sealed` MEDIUMTEXT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `backend_id` CHAR(36) NULL,
  `backend_type` VARCHAR(16) NOT NULL DEFAULT 'ANSWERER',
  `history` CHAR(36) NULL,
  `serial_base` INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (`name`),
  UNIQUE INDEX `gslb_zone_id_key` (`id`),
  INDEX `gslb_zone_list_idx` (`name`, `id`),
  INDEX `gslb_zone_backend_idx` (`backend_id`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_zone_change` (
  `zone` VARCHAR(253) NOT NULL,
  `generation` INT UNSIGNED NOT NULL,
  `fqdn` VARCHAR(253) NULL,
  `gslb_id` CHAR(36) NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`zone`, `generation`),
  INDEX `gslb_zone_change_age_idx` (`at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_name_server` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `facts` MEDIUMTEXT NOT NULL DEFAULT '{}',
  `zones` MEDIUMTEXT NOT NULL DEFAULT '{}',
  `heard_at` DATETIME(3) NULL,
  `linked_to` VARCHAR(64) NULL,
  `epoch` INT UNSIGNED NOT NULL DEFAULT 0,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `present` BOOLEAN NOT NULL DEFAULT false,
  `version` INT UNSIGNED NOT NULL DEFAULT 1,
  PRIMARY KEY (`id`),
  INDEX `gslb_name_server_list_idx` (`name`, `id`),
  INDEX `gslb_name_server_heard_idx` (`heard_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `gslb_pool_targets` (
  `pool_id` CHAR(36) NOT NULL,
  `version` INT UNSIGNED NOT NULL DEFAULT 1,
  PRIMARY KEY (`pool_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
