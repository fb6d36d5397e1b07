//! Masking by size (RFC 6455, section 5.3), in place and while copying.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sansocket::frame::MaskingKey;

const SIZES: [usize; 6] = [8, 125, 1024, 16 * 1024, 64 * 1024, 1024 * 1024];

fn masking(criterion: &mut Criterion) {
    let key = MaskingKey::new([0x37, 0xFA, 0x21, 0x3D]);
    let mut group = criterion.benchmark_group("masking");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let mut payload = vec![7; size];
        group.bench_function(BenchmarkId::new("in place", size), |bencher| {
            bencher.iter(|| key.apply(black_box(&mut payload)));
        });
        let mut copy = Vec::with_capacity(size);
        group.bench_function(BenchmarkId::new("append", size), |bencher| {
            bencher.iter(|| {
                copy.clear();
                key.append(black_box(&payload), &mut copy);
            });
        });
        group.bench_function(BenchmarkId::new("memcpy", size), |bencher| {
            bencher.iter(|| {
                copy.clear();
                copy.extend_from_slice(black_box(&payload));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, masking);
criterion_main!(benches);
