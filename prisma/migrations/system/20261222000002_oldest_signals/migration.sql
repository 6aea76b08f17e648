-- The oldest signals of each project and condition are found without those behind them.

ALTER TABLE `alert_signal`
  ADD INDEX `alert_signal_oldest_idx` (`condition_name`, `project_id`, `since_ms`, `subject_id`);
