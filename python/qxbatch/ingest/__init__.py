"""From what the core read of packets: identifies patients, assigns series numbers, gives files their final names."""
