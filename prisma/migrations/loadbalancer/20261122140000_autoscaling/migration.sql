-- Autoscaling: time zones of schedules, the time of the last decision, and searches in decisions by what they did and by age. Traffic:
-- servers' errors are not known of members.
ALTER TABLE `lb_scaling_policy`
  ADD COLUMN `time_zone` VARCHAR(64) NOT NULL DEFAULT 'UTC' AFTER `down_window_ms`,
  ADD COLUMN `decided_at` DATETIME(3) NULL AFTER `schedule`;

ALTER TABLE `lb_scaling_decision`
  ADD INDEX `lb_scaling_decision_action_idx` (`load_balancer_id`, `action`, `id`),
  ADD INDEX `lb_scaling_decision_age_idx` (`action`, `at`);

ALTER TABLE `lb_traffic` MODIFY COLUMN `server_errors` DOUBLE NULL;
