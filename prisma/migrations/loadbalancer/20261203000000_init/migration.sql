-- Load balancers and their parts, nodes, hosts, certificates, addresses and traffic.
-- prisma/schema/loadbalancer.prisma says what each table and column is.

CREATE TABLE `lb_load_balancer` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `description` VARCHAR(255) NOT NULL DEFAULT '',
  `tags` TEXT NOT NULL DEFAULT '[]',
  `cmp_namespace` VARCHAR(63) NULL,
  `cmp_type` VARCHAR(63) NULL,
  `cmp_id` VARCHAR(255) NULL,
  `subnet_id` CHAR(36) NOT NULL,
  `topology` VARCHAR(16) NOT NULL,
  `enabled` BOOLEAN NOT NULL DEFAULT true,
  `min_nodes` SMALLINT UNSIGNED NOT NULL,
  `max_nodes` SMALLINT UNSIGNED NOT NULL,
  `wanted_nodes` SMALLINT UNSIGNED NOT NULL,
  `node_connections` INT UNSIGNED NOT NULL,
  `node_threads` SMALLINT UNSIGNED NOT NULL,
  `host_name` VARCHAR(253) NOT NULL,
  `cookie_key` CHAR(32) NOT NULL,
  `generation` INT UNSIGNED NOT NULL DEFAULT 1,
  `provisioning_status` VARCHAR(16) NOT NULL,
  `provisioning_reason` VARCHAR(1024) NULL,
  `pending_since` DATETIME(3) NULL,
  `operating_status` VARCHAR(16) NOT NULL DEFAULT 'UNKNOWN',
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  `floating_address` VARCHAR(45) NULL,
  `floating_router_id` TINYINT UNSIGNED NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `lb_load_balancer_live_name_key` (`project_id`, `live_name`),
  INDEX `lb_load_balancer_cmp_idx` (`cmp_namespace`, `cmp_type`, `cmp_id`, `deleted_at`, `id`),
  INDEX `lb_load_balancer_project_cmp_idx` (`project_id`, `cmp_namespace`, `cmp_type`, `cmp_id`, `deleted_at`, `id`),
  INDEX `lb_load_balancer_subnet_idx` (`subnet_id`, `deleted_at`, `id`),
  INDEX `lb_load_balancer_pending_idx` (`provisioning_status`, `pending_since`),
  INDEX `lb_load_balancer_time_idx` (`deleted_at`, `id`),
  INDEX `lb_load_balancer_name_idx` (`live_name`, `id`),
  INDEX `lb_load_balancer_project_time_idx` (`project_id`, `deleted_at`, `id`),
  INDEX `lb_load_balancer_project_name_idx` (`project_id`, `live_name`, `id`),
  INDEX `lb_load_balancer_status_idx` (`deleted_at`, `operating_status`, `id`, `live_name`),
  INDEX `lb_load_balancer_project_status_idx` (`project_id`, `deleted_at`, `operating_status`, `id`, `live_name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_part` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `load_balancer_id` CHAR(36) NOT NULL,
  `parent_id` CHAR(36) NOT NULL,
  `kind` VARCHAR(32) NOT NULL,
  `spec` MEDIUMTEXT NOT NULL,
  `unique_key` VARCHAR(320) NULL,
  `drain_until` DATETIME(3) NULL,
  `operating_status` VARCHAR(16) NOT NULL DEFAULT 'UNKNOWN',
  `operating_reason` VARCHAR(1024) NULL,
  `generation` INT UNSIGNED NOT NULL,
  `deleted` BOOLEAN NOT NULL DEFAULT false,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `lb_part_unique_key` (`parent_id`, `kind`, `unique_key`),
  INDEX `lb_part_parent_idx` (`parent_id`, `kind`, `deleted`, `id`),
  INDEX `lb_part_generation_idx` (`load_balancer_id`, `generation`),
  INDEX `lb_part_project_idx` (`project_id`, `kind`, `deleted`),
  INDEX `lb_part_deleted_idx` (`deleted_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_reference` (
  `part_id` CHAR(36) NOT NULL,
  `field` VARCHAR(32) NOT NULL,
  `target_id` CHAR(36) NOT NULL,
  PRIMARY KEY (`part_id`, `field`, `target_id`),
  INDEX `lb_reference_target_idx` (`target_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_subnet` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `cidr` VARCHAR(49) NOT NULL,
  `vni` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `lb_subnet_vni_key` (`vni`),
  UNIQUE INDEX `lb_subnet_live_name_key` (`project_id`, `live_name`),
  INDEX `lb_subnet_time_idx` (`deleted_at`, `id`),
  INDEX `lb_subnet_name_idx` (`live_name`, `id`),
  INDEX `lb_subnet_project_time_idx` (`project_id`, `deleted_at`, `id`),
  INDEX `lb_subnet_project_name_idx` (`project_id`, `live_name`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_certificate` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `chain` MEDIUMTEXT NOT NULL,
  `sealed_key` VARBINARY(8192) NOT NULL,
  `key_id` VARCHAR(32) NOT NULL,
  `sha256` CHAR(64) NOT NULL,
  `host_names` TEXT NOT NULL,
  `issuer` VARCHAR(1024) NOT NULL,
  `not_before` DATETIME(3) NOT NULL,
  `not_after` DATETIME(3) NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `lb_certificate_live_name_key` (`project_id`, `live_name`),
  INDEX `lb_certificate_key_idx` (`key_id`),
  INDEX `lb_certificate_time_idx` (`deleted_at`, `id`),
  INDEX `lb_certificate_name_idx` (`live_name`, `id`),
  INDEX `lb_certificate_project_time_idx` (`project_id`, `deleted_at`, `id`),
  INDEX `lb_certificate_project_name_idx` (`project_id`, `live_name`, `id`),
  INDEX `lb_certificate_expiry_idx` (`deleted_at`, `not_after`, `id`),
  INDEX `lb_certificate_project_expiry_idx` (`project_id`, `deleted_at`, `not_after`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_host` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `site` VARCHAR(63) NULL,
  `provider` VARCHAR(16) NOT NULL,
  `cordoned` BOOLEAN NOT NULL DEFAULT false,
  `presence` VARCHAR(16) NOT NULL,
  `heard_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `public_range` VARCHAR(49) NOT NULL,
  `management_range` VARCHAR(49) NOT NULL,
  `tunnel_address` VARCHAR(45) NULL,
  `max_nodes` INT UNSIGNED NOT NULL,
  `health_port` SMALLINT UNSIGNED NOT NULL,
  `confinement_fault` VARCHAR(1024) NULL,
  `epoch` INT UNSIGNED NOT NULL DEFAULT 0,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `removing` BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `lb_host_name_key` (`name`),
  INDEX `lb_host_name_idx` (`name`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_node` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `load_balancer_id` CHAR(36) NOT NULL,
  `host_id` CHAR(36) NULL,
  `name` VARCHAR(63) NOT NULL,
  `state` VARCHAR(16) NOT NULL,
  `reason` VARCHAR(1024) NULL,
  `operating_status` VARCHAR(16) NOT NULL DEFAULT 'UNKNOWN',
  `address` VARCHAR(45) NULL,
  `subnet_address` VARCHAR(45) NULL,
  `management_address` VARCHAR(45) NULL,
  `connections` INT UNSIGNED NOT NULL,
  `threads` SMALLINT UNSIGNED NOT NULL,
  `incarnation` CHAR(36) NULL,
  `wanted_version` INT UNSIGNED NOT NULL DEFAULT 1,
  `applied_generation` INT UNSIGNED NOT NULL DEFAULT 0,
  `placed_at` DATETIME(3) NULL,
  `made_at` DATETIME(3) NULL,
  `configured_at` DATETIME(3) NULL,
  `checked_at` DATETIME(3) NULL,
  `in_dns_at` DATETIME(3) NULL,
  `replaces_id` CHAR(36) NULL,
  `delete_at` DATETIME(3) NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `round` INT UNSIGNED NOT NULL DEFAULT 0,
  `down_since` DATETIME(3) NULL,
  `judge_at` DATETIME(3) NULL,
  `suspect` BOOLEAN NOT NULL DEFAULT false,
  `given_up` BOOLEAN NOT NULL DEFAULT false,
  `checked_incarnation` CHAR(36) NULL,
  `named` BOOLEAN NOT NULL DEFAULT false,
  `out_of_dns_at` DATETIME(3) NULL,
  `replace_reason` VARCHAR(255) NULL,
  `sessions` INT UNSIGNED NULL,
  `floating_priority` TINYINT UNSIGNED NULL,
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `lb_node_name_key` (`name`),
  INDEX `lb_node_load_balancer_idx` (`load_balancer_id`, `state`, `id`),
  INDEX `lb_node_host_idx` (`host_id`, `state`, `id`),
  INDEX `lb_node_project_idx` (`project_id`, `id`),
  INDEX `lb_node_state_idx` (`state`),
  INDEX `lb_node_updated_idx` (`updated_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_address` (
  `scope` CHAR(36) NOT NULL,
  `address` VARCHAR(45) NOT NULL,
  `node_id` CHAR(36) NOT NULL,
  `freed_at` DATETIME(3) NULL,
  `freed_by` CHAR(36) NULL,
  PRIMARY KEY (`scope`, `address`),
  INDEX `lb_address_node_idx` (`node_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_member_status` (
  `member_id` CHAR(36) NOT NULL,
  `node_id` CHAR(36) NOT NULL,
  `status` VARCHAR(16) NOT NULL,
  `message` VARCHAR(255) NULL,
  `changed_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`member_id`, `node_id`),
  INDEX `lb_member_status_node_idx` (`node_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_decision` (
  `id` CHAR(36) NOT NULL,
  `load_balancer_id` CHAR(36) NOT NULL,
  `node_id` CHAR(36) NOT NULL,
  `round` INT UNSIGNED NOT NULL,
  `kind` VARCHAR(16) NOT NULL,
  `other_node_id` CHAR(36) NULL,
  `reason` VARCHAR(1024) NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `lb_decision_once_key` (`node_id`, `round`, `kind`),
  INDEX `lb_decision_load_balancer_idx` (`load_balancer_id`, `created_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_scaling_policy` (
  `load_balancer_id` CHAR(36) NOT NULL,
  `enabled` BOOLEAN NOT NULL,
  `dry_run` BOOLEAN NOT NULL,
  `signal` VARCHAR(16) NOT NULL,
  `collectd_value` VARCHAR(255) NULL,
  `requests_per_node` INT UNSIGNED NULL,
  `target_percent` SMALLINT UNSIGNED NOT NULL,
  `tolerance_percent` SMALLINT UNSIGNED NOT NULL,
  `period_ms` INT UNSIGNED NOT NULL,
  `warm_up_ms` INT UNSIGNED NOT NULL,
  `cooldown_ms` INT UNSIGNED NOT NULL,
  `down_window_ms` INT UNSIGNED NOT NULL,
  `time_zone` VARCHAR(64) NOT NULL DEFAULT 'UTC',
  `schedule` TEXT NOT NULL DEFAULT '[]',
  `decided_at` DATETIME(3) NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`load_balancer_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_scaling_decision` (
  `id` CHAR(36) NOT NULL,
  `load_balancer_id` CHAR(36) NOT NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `action` VARCHAR(16) NOT NULL,
  `from_nodes` SMALLINT UNSIGNED NOT NULL,
  `to_nodes` SMALLINT UNSIGNED NOT NULL,
  `recommended` SMALLINT UNSIGNED NOT NULL,
  `reason` VARCHAR(1024) NOT NULL,
  `dry_run` BOOLEAN NOT NULL,
  `inputs` TEXT NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `lb_scaling_decision_load_balancer_idx` (`load_balancer_id`, `id`),
  INDEX `lb_scaling_decision_action_idx` (`load_balancer_id`, `action`, `id`),
  INDEX `lb_scaling_decision_age_idx` (`action`, `at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_project` (
  `project_id` CHAR(36) NOT NULL,
  PRIMARY KEY (`project_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_quota` (
  `project_id` CHAR(36) NOT NULL,
  `kind` VARCHAR(16) NOT NULL,
  `limit` INT UNSIGNED NOT NULL,
  PRIMARY KEY (`project_id`, `kind`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_traffic` (
  `subject_id` CHAR(36) NOT NULL,
  `period` VARCHAR(8) NOT NULL,
  `at` DATETIME(3) NOT NULL,
  `requests` DOUBLE NOT NULL,
  `errors` DOUBLE NOT NULL,
  `server_errors` DOUBLE NULL,
  `sessions` DOUBLE NOT NULL,
  `bytes_in` DOUBLE NOT NULL,
  `bytes_out` DOUBLE NOT NULL,
  `latency_ms` DOUBLE NULL,
  PRIMARY KEY (`subject_id`, `period`, `at`),
  INDEX `lb_traffic_age_idx` (`period`, `at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `lb_breaker` (
  `id` TINYINT UNSIGNED NOT NULL,
  `reason` VARCHAR(255) NULL,
  `calm_since` DATETIME(3) NULL,
  `version` INT NOT NULL DEFAULT 1,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT INTO `lb_breaker` (`id`) VALUES (1);
